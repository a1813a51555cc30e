/**
 * Changes whose callers have stopped waiting: what has been begun by then ends, the rest never
 * happens, and nothing that nobody has stays open.
 */
import test, { type ExecutionContext } from 'ava';
import type { Control } from '../../client/control.ts';
import type { FileSystem } from '../../client/file-system.ts';
import type { File } from '../../client/file.ts';
import { isFsError } from '../../shared/errno.ts';
import { on, overTwo, readAll, Stage } from './stage.ts';

/** Opens of a program that were answered, and what a `Stage` has of them. */
async function requireNoneLeft(t: ExecutionContext, stage: Stage, what: string): Promise<void> {
  await stage.pass(20_000);
  t.is(stage.openCount, 0, what);
  for (const { index } of stage.cluster.iods) t.is(await stage.entriesAt(index), 0, what);
}

function outcome(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => (isFsError(error) ? error.code : String(error)),
  );
}

test('an open that a stopped mgr hears too late is not left open (SCENARIOS 118)', async (t) => {
  const stage = new Stage({ seed: 1, iods: 2, programs: 1 });
  const fs = await stage.join(0);
  stage.cluster.mgr.pause();
  const opening = stage.begin(0, () => fs.open('/f', 'w', { layout: on(0), deadlineMs: 1_000 }));
  t.is(await stage.settle(outcome(opening)), 'ETIMEDOUT');
  stage.cluster.mgr.resume();
  await requireNoneLeft(t, stage, 'after the mgr went on');
});

test('nothing stays open whenever its caller gives up, with losses and restarts at any time meanwhile (SCENARIOS 110, 118)', async (t) => {
  const deadlines = [1, 100, 201, 300, 399, 401, 450, 700];
  const troubles = ['none', 'cut', 'kill', 'silence'] as const;
  for (const [number, trouble] of troubles.entries()) {
    for (const deadlineMs of deadlines) {
      for (const troubleAtMs of [50, 150, 250, 350, 450, 650]) {
        const what = `${trouble} at ${troubleAtMs}, deadline ${deadlineMs}`;
        const stage = new Stage({ seed: number + 1, iods: 1, programs: 1 });
        const fs = await stage.join(0);
        stage.world.network.set({ latencyMs: [100, 100] });
        stage.world.after(troubleAtMs, () => strike(stage, trouble));
        const opening = stage.begin(0, () => fs.open('/f', 'w+', { layout: on(0), deadlineMs }));
        opening.then(
          (file) => file.close({ deadlineMs: Infinity }),
          () => undefined,
        );
        await stage.settle(outcome(opening));
        await requireNoneLeft(t, stage, what);
      }
    }
  }
});

function strike(stage: Stage, trouble: 'none' | 'cut' | 'kill' | 'silence'): void {
  const { network } = stage.world;
  if (trouble === 'cut') network.cut('program0', 'mgr');
  if (trouble === 'kill') stage.bounce(stage.cluster.mgr, 500);
  if (trouble !== 'silence') return;
  network.partition('program0', 'mgr');
  stage.world.after(5_000, () => {
    network.heal();
  });
}

test('an open that waits for an iod is not begun once its caller has given up (SCENARIOS 118)', async (t) => {
  const stage = new Stage({ seed: 2, iods: 1, programs: 2 });
  const [fs, writer] = await stage.joinAll();
  if (!fs || !writer) throw new Error('not all have joined');
  const held = await stage.run(1, () => writer.open('/f', 'w+', { layout: on(0) }));
  await stage.run(1, () => held.write(Buffer.alloc(100, 1), 0));
  stage.iod(0).process.pause();
  const opening = stage.begin(0, () => fs.open('/f', 'r', { deadlineMs: 1_000 }));
  t.is(await stage.settle(outcome(opening)), 'ETIMEDOUT');
  stage.world.network.partition('program0', 'mgr');
  await stage.pass(1_000);
  stage.iod(0).process.resume();
  await stage.pass(1_000);
  t.is(stage.openCount, 1, 'that of the writer');
});

test('who goes on after a truncation that it gave up has what it writes then (SCENARIOS 118)', async (t) => {
  for (const stopMs of [3_000, 12_000]) {
    const stage = new Stage({ seed: 3, iods: 2, programs: 1 });
    const fs = await stage.join(0);
    const file = await stage.run(0, () => fs.open('/f', 'w+', { layout: overTwo }));
    await stage.run(0, () => file.write(Buffer.alloc(8192, 1), 0));
    stage.world.network.partition('mgr', 'iod1');
    const cut = stage.begin(0, () => file.truncate(10, { deadlineMs: 1_000 }));
    t.is(await stage.settle(outcome(cut)), 'ETIMEDOUT');
    stage.world.after(stopMs, () => {
      stage.world.network.heal();
    });
    await rewrite(stage, file);
    await stage.pass(20_000);
    const content = await stage.run(0, () => readAll(file, 10_000));
    t.true(content.equals(Buffer.alloc(8192, 2)), `${stopMs} ms`);
    await stage.run(0, () => file.close());
  }
});

function rewrite(stage: Stage, file: File): Promise<unknown> {
  return stage.run(0, () => file.write(Buffer.alloc(8192, 2), 0));
}

test('a cut that was given up is not made again behind what was written since (SCENARIOS 118)', async (t) => {
  const stage = new Stage({ seed: 4, iods: 2, programs: 1 });
  const fs = await stage.join(0);
  const file = await stage.run(0, () => fs.open('/f', 'w+', { layout: overTwo }));
  await stage.run(0, () => file.write(Buffer.alloc(8192, 1), 0));
  // The iod cuts, and the mgr does not hear of it.
  stage.world.network.partition('iod1', 'mgr');
  const cut = stage.begin(0, () => file.truncate(10, { deadlineMs: 1_000 }));
  t.is(await stage.settle(outcome(cut)), 'ETIMEDOUT');
  stage.world.after(2_000, () => {
    stage.world.network.heal();
  });
  await rewrite(stage, file);
  await stage.run(0, () => file.truncate(8000));
  const content = await stage.run(0, () => readAll(file, 10_000));
  t.true(content.equals(Buffer.alloc(8000, 2)));
});

test('what goes through another descriptor of the program waits for it too (SCENARIOS 118)', async (t) => {
  type Truncate = (fs: FileSystem, file: File, control: Control) => Promise<void>;
  // Cut off when the mgr has made the truncation, and before the iod hears of it.
  const ways: readonly (readonly [way: string, cutOffAfterMs: number, truncate: Truncate])[] = [
    ['by an open file', 150, (_, file, control) => file.truncate(10, control)],
    ['by its name', 550, (fs, _, control) => fs.truncate('/f', 10, control)],
    ['by another name', 550, (fs, _, control) => fs.truncate('/link', 10, control)],
  ];
  for (const [way, cutOffAfterMs, truncate] of ways) {
    const stage = new Stage({ seed: 5, iods: 2, programs: 1 });
    const fs = await stage.join(0);
    const [cutting, writing] = await stage.run(0, async () => [
      await fs.open('/f', 'w+', { layout: overTwo }),
      await fs.open('/f', 'r+'),
    ]);
    if (!cutting || !writing) throw new Error('not all are open');
    await stage.run(0, () => fs.symlink('f', '/link'));
    await stage.run(0, () => cutting.write(Buffer.alloc(8192, 1), 0));
    stage.world.network.set({ latencyMs: [100, 100] });
    const control = new AbortController();
    const cut = stage.begin(0, () => truncate(fs, cutting, { signal: control.signal }));
    await stage.pass(cutOffAfterMs);
    stage.world.network.partition('mgr', 'iod1');
    control.abort();
    t.is(await stage.settle(outcome(cut)), 'ECANCELED', way);
    const hurried = stage.begin(0, () =>
      writing.write(Buffer.alloc(8192, 2), 0, { deadlineMs: 1_000 }),
    );
    t.is(await stage.settle(outcome(hurried)), 'ETIMEDOUT', way);
    stage.world.after(2_000, () => {
      stage.world.network.heal();
    });
    await rewrite(stage, writing);
    await stage.pass(20_000);
    const content = await stage.run(0, () => readAll(writing, 10_000));
    t.true(content.equals(Buffer.alloc(8192, 2)), way);
  }
});

test('an open whose truncation fails at a disk leaves nothing open (SCENARIOS 10, 118)', async (t) => {
  const stage = new Stage({ seed: 6, iods: 1, programs: 1 });
  const fs = await stage.join(0);
  await stage.run(0, () => fs.writeFile('/f', Buffer.alloc(100, 1), { layout: on(0) }));
  await stage.pass(100);
  stage.iod(0).host.disk.fail({ operation: 'truncate', errno: 'EIO', times: 1000 });
  const opening = stage.begin(0, () => fs.open('/f', 'w'));
  t.is(await stage.settle(outcome(opening)), 'EIO');
  await stage.pass(1_000);
  t.is(stage.openCount, 0);
  stage.iod(0).host.disk.mend();
  await requireNoneLeft(t, stage, 'when the disk is well');
  t.is((await stage.run(0, () => fs.stat('/f'))).size, 0);
});
