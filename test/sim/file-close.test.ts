/** Closes that come at a bad moment: with bytes on their way, with the mgr away. */
import test from 'ava';
import { isFsError } from '../../shared/errno.ts';
import { overTwo, readAll, Stage } from './stage.ts';

const content = Buffer.alloc(8192, 7);

test('a write on its way when its file is closed is done before the close has ended, or never (SCENARIOS 119)', async (t) => {
  for (const latencyMs of [1, 30, 300]) {
    for (const headStartMs of [0, 1, 10]) {
      const stage = new Stage({ seed: 1, iods: 2, programs: 2 });
      const [fs, looker] = await stage.joinAll();
      if (!fs || !looker) throw new Error('not all have joined');
      const file = await stage.run(0, () => fs.open('/f', 'w+', { layout: overTwo }));
      await stage.run(0, () => file.write(content, 0));
      const path = { from: 'program0', to: 'iod1' };
      stage.world.network.set({ latencyMs: [latencyMs, latencyMs] }, path);
      const writing = stage.begin(0, () => file.write(Buffer.alloc(8192, 8), 0));
      const outcome = writing.then(
        () => 'done',
        (error: unknown) => (isFsError(error) ? error.code : String(error)),
      );
      await stage.pass(headStartMs);
      await stage.run(0, () => file.close());
      const held = await stage.run(1, () => looker.open('/f', 'r'));
      const atClose = await stage.run(1, () => readAll(held, 8192));
      await stage.settle(outcome);
      await stage.pass(2_000);
      const later = await stage.run(1, () => readAll(held, 8192));
      t.true(later.equals(atClose), `${latencyMs} ms, closed after ${headStartMs} ms`);
    }
  }
});

test('a close that the mgr does not hear in time is done when it is back: the file does not stay open (SCENARIOS 174)', async (t) => {
  const stage = new Stage({ seed: 2, iods: 2, programs: 1 });
  const fs = await stage.join(0);
  const [file, twin] = await stage.run(0, async () => [
    await fs.open('/f', 'w+', { layout: overTwo }),
    await fs.open('/f', 'w+', { layout: overTwo }),
  ]);
  if (!file || !twin) throw new Error('not all are open');
  stage.cluster.mgr.pause();
  await t.throwsAsync(
    stage.run(0, () => file.close({ deadlineMs: 2_000 })),
    { code: 'ETIMEDOUT' },
  );
  stage.cluster.mgr.resume();
  await stage.pass(5_000);
  const writers = (): number[] =>
    [...(stage.cluster.store?.opens() ?? [])].map((row) => row.writers);
  t.deepEqual(writers(), [1]);
  await stage.run(0, () => twin.close());
  t.deepEqual(writers(), []);
  const cutOff = await stage.run(0, () => fs.open('/f', 'r'));
  stage.world.network.partition('program0', 'mgr');
  await t.throwsAsync(
    stage.run(0, () => cutOff.close({ deadlineMs: 2_000 })),
    { code: 'ETIMEDOUT' },
  );
  await stage.pass(10_000);
  stage.world.network.heal();
  await stage.pass(5_000);
  t.is(stage.openCount, 0);
  t.is(await stage.entriesAt(0), 0);
});
