/** What a program sees, and what stays behind, while an iod is away, late or in trouble. */
import test from 'ava';
import { isFsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { inOrder, on, overTwo, readAll, Stage } from './stage.ts';

const stripes = Buffer.concat([Buffer.alloc(4096, 1), Buffer.alloc(4096, 2)]);

test('while an iod is down files are made, opened and closed as ever, and a caller who gives up leaves nothing behind (SCENARIOS 9, 10, 11, 12)', async (t) => {
  const stage = new Stage({ seed: 1, iods: 2, programs: 2 });
  const [a, b] = [await stage.join(0), await stage.join(1)];
  await stage.run(0, () => a.writeFile('/cold', stripes, { layout: overTwo }));
  const held = await stage.run(1, () => b.open('/held', 'w+', { layout: overTwo }));
  const closing = await stage.run(1, () => b.open('/closing', 'w+', { layout: overTwo }));
  await stage.run(1, async () => {
    await held.write(stripes, 0);
    await closing.write(stripes, 0);
  });
  await stage.pass(limits.openChangesDelayMs + 100);
  t.is(await stage.entriesAt(0), 2);
  stage.iod(1).process.kill();

  await t.throwsAsync(
    stage.run(0, () => a.writeFile('/new', stripes, { layout: overTwo, deadlineMs: 2_000 })),
    { code: 'ETIMEDOUT', message: /iod1/ },
  );
  await stage.run(0, () => a.unlink('/new'));
  const again = await stage.run(0, () => a.open('/new', 'wx', { layout: on(0) }));
  await stage.run(0, async () => {
    await again.write(stripes, 0);
    await again.close();
  });
  t.deepEqual(await stage.run(0, () => a.readFile('/new')), stripes);

  const cold = await stage.timed(stage.begin(0, () => a.open('/cold', 'r')));
  t.true(cold.tookMs < 100, `an open took ${cold.tookMs} ms`);
  await t.throwsAsync(
    stage.run(0, () => cold.result.read(Buffer.alloc(8192), 0, { deadlineMs: 1_000 })),
    { code: 'ETIMEDOUT', message: /iod1/ },
  );
  await stage.run(0, () => cold.result.close());
  const more = await stage.run(0, () => a.open('/held', 'r'));
  await t.throwsAsync(
    stage.run(0, () => more.read(Buffer.alloc(8), 4096, { deadlineMs: 1_000 })),
    { code: 'ETIMEDOUT' },
  );
  await stage.run(0, () => more.close());
  t.is(await stage.run(1, () => held.read(Buffer.alloc(4096), 0)), 4096);

  await stage.run(1, () => closing.close());
  await stage.pass(limits.openChangesDelayMs + 100);
  t.is(stage.openCount, 1);
  t.is(await stage.entriesAt(0), 1);
  const files = [cold.result, held, closing, again].map(({ handle }) => handle as number);
  t.deepEqual(inOrder(stage.objectsAt(0)), files);

  stage.iod(1).process.start();
  await stage.untilServing(0, a);
  t.is(await stage.entriesAt(1), 1);
  t.deepEqual(await stage.run(1, () => readAll(held, 8192)), stripes);
});

test('an iod that is stopped for less than a heartbeat may be missed costs time alone (SCENARIOS 19)', async (t) => {
  const stage = new Stage({ seed: 2, iods: 2, programs: 1 });
  const fs = await stage.join(0);
  await stage.run(0, () => fs.writeFile('/f', stripes, { layout: overTwo }));
  const { members } = await stage.status(0, fs);
  const { process } = stage.iod(1);
  const connections = stage.iod(1).host.listeners.get('tcp:7301')?.channels.size;
  const stoppedMs = limits.heartbeatSilenceMs / 2;
  process.pause();
  stage.world.after(stoppedMs, () => {
    process.resume();
  });
  const { tookMs, result } = await stage.timed(stage.begin(0, () => fs.readFile('/f')));
  t.deepEqual(result, stripes);
  t.true(tookMs >= stoppedMs && tookMs < limits.heartbeatSilenceMs);
  const after = await stage.status(0, fs);
  const lives = (list: typeof members) => list.map((one) => `${one.state} ${one.incarnation}`);
  t.deepEqual(lives(after.members), lives(members));
  t.is(stage.iod(1).host.listeners.get('tcp:7301')?.channels.size, connections);
  t.is(after.recovery, undefined);
});

test('what an open did once is not done again for an iod that comes back: truncation, exclusive making (SCENARIOS 44)', async (t) => {
  const stage = new Stage({ seed: 3, iods: 2, programs: 1 });
  const fs = await stage.join(0);
  await stage.run(0, () => fs.writeFile('/cut', Buffer.alloc(100_000, 9), { layout: overTwo }));
  const files = await stage.run(0, async () => [
    await fs.open('/cut', 'w+'),
    await fs.open('/made', 'wx+', { layout: overTwo }),
  ]);
  for (const file of files) await stage.run(0, () => file.write(stripes, 0));
  for (const { process } of stage.cluster.iods) stage.bounce(process, 500);
  stage.bounce(stage.cluster.mgr, 200);
  await stage.pass(1_000);
  await stage.untilServing(0, fs);
  for (const file of files) {
    t.deepEqual(await stage.run(0, () => readAll(file, 10_000)), stripes);
    await stage.run(0, () => file.write(stripes, 8192));
  }
});

test('who has a file open keeps its rights when its mode and owner change, also through recoveries (SCENARIOS 187)', async (t) => {
  const stage = new Stage({ seed: 4, iods: 2, programs: 2 });
  const [root, user] = [await stage.join(0), await stage.join(1, 1000)];
  await stage.run(0, () => root.chmod('/', 0o777));
  const file = await stage.run(1, () => user.open('/f', 'w+', { mode: 0o600, layout: overTwo }));
  await stage.run(1, () => file.write(stripes, 0));
  await stage.run(0, async () => {
    await root.chown('/f', 2000, 2000);
    await root.chmod('/f', 0o400);
  });
  const check = async (): Promise<void> => {
    t.deepEqual(await stage.run(1, () => readAll(file, 8192)), stripes);
    await stage.run(1, () => file.write(stripes, 0));
    for (const mode of ['r', 'r+'] as const) {
      await t.throwsAsync(
        stage.run(1, () => user.open('/f', mode)),
        { code: 'EACCES' },
      );
    }
  };
  await check();
  for (const { process } of stage.cluster.iods) stage.bounce(process, 300);
  stage.bounce(stage.cluster.mgr, 300);
  await check();
  await stage.untilServing(0, root);
  await check();
});

test('an iod that cannot read one stripe fails the read of that range alone, and is named (SCENARIOS 217)', async (t) => {
  const stage = new Stage({ seed: 5, iods: 2, programs: 1 });
  const fs = await stage.join(0);
  await stage.run(0, () => fs.writeFile('/f', stripes, { layout: overTwo }));
  const file = await stage.run(0, () => fs.open('/f', 'r'));
  stage.iod(1).host.disk.fail({ errno: 'EIO', operation: 'read', times: Infinity });
  await t.throwsAsync(
    stage.run(0, () => file.read(Buffer.alloc(8192), 0)),
    { code: 'EIO', message: /iod1/ },
  );
  const into = Buffer.alloc(4096);
  t.is(await stage.run(0, () => file.read(into, 0)), 4096);
  t.deepEqual(into, stripes.subarray(0, 4096));
  stage.iod(1).host.disk.mend();
  t.deepEqual(await stage.run(0, () => readAll(file, 8192)), stripes);
});

test('an iod whose disk is full does not come half-way back, disturbs nobody, and serves when there is room (SCENARIOS 99)', async (t) => {
  const stage = new Stage({ seed: 6, iods: 2, programs: 1 });
  const fs = await stage.join(0);
  await stage.run(0, () => fs.writeFile('/f', stripes, { layout: overTwo }));
  const { process, host } = stage.iod(1);
  host.disk.fail({ errno: 'ENOSPC', times: Infinity });
  stage.bounce(process, 100);
  for (let i = 0; i < 10; i++) {
    await stage.pass(3_000);
    t.is(host.listeners.has('tcp:7301'), false);
    await stage.run(0, () => fs.writeFile(`/other${i}`, stripes, { layout: on(0) }));
  }
  t.true(process.starts > 2);
  host.disk.mend();
  await stage.untilServing(0, fs);
  t.deepEqual(await stage.run(0, () => fs.readFile('/f')), stripes);
});

test('a write that is sent again is never mixed with what its buffer holds by then (SCENARIOS 168)', async (t) => {
  const stage = new Stage({ seed: 7, iods: 2, programs: 1 });
  const fs = await stage.join(0);
  const file = await stage.run(0, () => fs.open('/f', 'w+', { layout: overTwo }));
  await stage.run(0, () => file.write(stripes, 0));
  stage.iod(1).process.kill();
  const buffer = Buffer.alloc(8192, 3);
  const outcome = stage
    .begin(0, () => file.write(buffer, 0))
    .then(
      () => 'done',
      (error: unknown) => (isFsError(error) ? error.weftCode : String(error)),
    );
  await stage.pass(500);
  buffer.fill(4);
  stage.iod(1).process.start();
  t.is(await stage.settle(outcome), 'WEFT_E_CHECKSUM');
  const found = await stage.run(0, () => readAll(file, 8192));
  for (const [from, allowed] of [
    [0, [1, 3]],
    [4096, [2, 3, 4]],
  ] as const) {
    const stripe = found.subarray(from, from + 4096);
    t.true(allowed.some((value) => stripe.equals(Buffer.alloc(4096, value))));
  }
});
