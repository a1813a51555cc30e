import test from 'ava';
import { FsError } from '../../shared/errno.ts';
import { failure } from '../shared/rpc/pair.ts';
import { Scripted } from './scripted.ts';

const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 7) & 0xff));

test('an iod that restarts in the middle of a write costs the write nothing but time', async (t) => {
  for (const atMs of [0.1, 0.5, 1, 2, 5]) {
    const cluster = new Scripted({ layout: { ssize: 4096 } });
    const fs = await cluster.connect();
    const file = await cluster.run(() => fs.open('a', 'w+'));
    cluster.world.network.set({ bytesPerMs: 5000, fragmentProbability: 0.5 });
    const writing = cluster.begin(() => file.write(bytes, 0));
    await cluster.pass(atMs);
    cluster.iod(1).process.kill();
    await cluster.pass(3_000);
    cluster.iod(1).process.start();
    await cluster.world.complete(writing);
    const into = Buffer.alloc(bytes.length);
    t.is(await cluster.run(() => file.read(into, 0)), bytes.length);
    t.true(into.equals(bytes), `killed after ${atMs} ms`);
  }
});

test('an iod that comes back at another port is found there (SCENARIOS 28)', async (t) => {
  const cluster = new Scripted({ iods: 1 });
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w+'));
  await cluster.run(() => file.write(bytes, 0));
  cluster.iod(0).process.kill();
  cluster.iod(0).port = 7999;
  cluster.iod(0).process.start();
  t.is(await cluster.run(() => file.read(Buffer.alloc(100), 0)), 100);
});

test('without a mgr, an iod that restarts is reached again where it was', async (t) => {
  const cluster = new Scripted({ iods: 1 });
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w+'));
  await cluster.run(() => file.write(bytes, 0));
  cluster.mgr.kill();
  cluster.iod(0).process.kill();
  const reading = cluster.begin(() => file.read(Buffer.alloc(100), 0));
  await cluster.pass(100);
  const begun = cluster.world.nowMs;
  cluster.iod(0).process.start();
  t.is(await cluster.world.complete(reading), 100);
  t.true(cluster.world.nowMs - begun < 3_000);
});

test('a mgr that restarts is attached to with the same session, and mutations happen once', async (t) => {
  const cluster = new Scripted({ iods: 1 });
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'a+'));
  cluster.script = async ({ op }) => {
    if (op !== 'close' || cluster.count('close') > 1) return;
    cluster.world.after(10, () => cluster.mgr.restart());
    await new Promise(() => undefined);
  };
  await cluster.run(() => file.write(bytes, 0));
  await cluster.run(() => file.close());
  t.is(cluster.count('openSession'), 1);
  t.is(cluster.count('attachSession'), 1);
  const closes = cluster.heard.filter(({ op }) => op === 'close');
  t.is(closes.length, 2);
  t.is(new Set(closes.map(({ slot, sequence }) => `${slot} ${sequence}`)).size, 1);
});

test('reads and writes of open files go on while the mgr is away', async (t) => {
  const cluster = new Scripted({ iods: 2 });
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w+'));
  await cluster.run(() => file.write(bytes, 0));
  cluster.mgr.kill();
  const begun = cluster.world.nowMs;
  await cluster.run(() => file.write(bytes, 0));
  t.is(await cluster.run(() => file.read(Buffer.alloc(50_000), 0)), 50_000);
  t.true(cluster.world.nowMs - begun < 100);
});

test('an iod that says “come back” is asked again until the deadline, and named then (SCENARIOS 173)', async (t) => {
  const cluster = new Scripted({ iods: 2 });
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w+'));
  let refusing = true;
  cluster.script = ({ who, op }) => {
    if (who === 'iod1' && op === 'write' && refusing) {
      throw new FsError('EAGAIN', { id: 'WEFT_E_RESYNCING', what: 'resyncing', retryAfterMs: 100 });
    }
  };
  const error = await failure(cluster.run(() => file.write(bytes, 0, { deadlineMs: 2_000 })));
  t.like(error, { code: 'ETIMEDOUT', weftCode: 'WEFT_E_DEADLINE', bytesDone: 4096 });
  t.regex(error.message, /iod 1 .*resyncing/);
  const writing = cluster.begin(() => file.write(bytes, 0));
  await cluster.pass(500);
  refusing = false;
  t.is((await cluster.world.complete(writing)).bytesWritten, bytes.length);
});

test('one deadline holds for all that a call takes', async (t) => {
  const cluster = new Scripted({ iods: 1 });
  const fs = await cluster.connect({ callDeadlineMs: 1_000 });
  const file = await cluster.run(() => fs.open('a', 'a+'));
  cluster.script = async (_, { connection }) => {
    await new Promise<void>((resolve) => connection.clock.timer(600, resolve));
  };
  const calls: (() => Promise<unknown>)[] = [
    () => file.write(bytes.subarray(0, 10)),
    () => file.read(Buffer.alloc(1000), 0),
  ];
  for (const run of calls) {
    const begun = cluster.world.nowMs;
    const error = await failure(cluster.run(run));
    t.is(error.code, 'ETIMEDOUT');
    t.true(cluster.world.nowMs - begun < 1_010);
  }
});

test('a call that is aborted ends at once, in whatever phase, and leaves the file as usable (SCENARIOS 118)', async (t) => {
  for (const phase of ['reserve', 'admit', 'write', 'sync', 'extend', 'read', 'getAttr']) {
    const cluster = new Scripted({ iods: 1 });
    const fs = await cluster.connect();
    const file = await cluster.run(() => fs.open('a', 'as+'));
    const control = new AbortController();
    const { signal } = control;
    let reached = false;
    cluster.script = async ({ op }, { connection }) => {
      if (op !== phase || reached) return;
      reached = true;
      await new Promise<void>((resolve) => connection.clock.timer(5_000, resolve));
    };
    const call = cluster.begin(async () => {
      const own = Buffer.from(bytes);
      try {
        await file.write(own, 0, { signal });
        await file.read(Buffer.alloc(2 * bytes.length), 0, { signal });
      } finally {
        own.fill(0xee);
      }
    });
    await cluster.world.run({ until: () => reached });
    const begun = cluster.world.nowMs;
    control.abort();
    t.is((await failure(cluster.world.complete(call))).code, 'ECANCELED', phase);
    t.true(cluster.world.nowMs - begun < 5, phase);
    await cluster.pass(10_000);
    const { position } = await cluster.run(() => file.write(bytes));
    const into = Buffer.alloc(bytes.length);
    await cluster.run(() => file.read(into, position));
    t.true(into.equals(bytes), phase);
  }
});

test('an open that was aborted is given back if it was made, and never made if not (SCENARIOS 118)', async (t) => {
  for (const [abandonMs, closes] of [
    [600, 1],
    [0, 0],
  ] as const) {
    const cluster = new Scripted();
    const fs = await cluster.connect();
    const control = new AbortController();
    cluster.script = async ({ op }, { connection: { clock } }) => {
      const delayMs = op === 'open' ? 500 : op === 'abandon' ? abandonMs : 0;
      if (delayMs > 0) await new Promise<void>((resolve) => clock.timer(delayMs, resolve));
    };
    const opening = cluster.begin(() => fs.open('a', 'w', { signal: control.signal }));
    await cluster.pass(100);
    control.abort();
    t.like(await failure(cluster.world.complete(opening)), {
      code: 'ECANCELED',
      syscall: 'open',
      path: 'a',
    });
    await cluster.pass(1_000);
    t.deepEqual([cluster.count('open'), cluster.count('close')], [1, closes]);
    t.is(cluster.files.has('a'), closes > 0);
  }
});

test('damage on the way is an error that names it, never wrong bytes', async (t) => {
  const cluster = new Scripted({ iods: 1 });
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w+'));
  const own = Buffer.from(bytes);
  const error = await failure(
    cluster.run(() => {
      const writing = file.write(own, 0);
      own[10] = (own[10] ?? 0) ^ 1;
      return writing;
    }),
  );
  t.like(error, { code: 'EIO', weftCode: 'WEFT_E_CHECKSUM' });
  t.is(cluster.iod(0).objects.size, 0);
});

test('when the session is lost its files are stale, and new calls begin a new one', async (t) => {
  const cluster = new Scripted({ iods: 2 });
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w+'));
  cluster.script = async ({ op }, { connection }) => {
    if (op === 'write')
      await new Promise<void>((resolve) => connection.clock.timer(60_000, resolve));
  };
  const writing = cluster.begin(() => file.write(bytes, 0, { deadlineMs: Infinity }));
  await cluster.pass(100);
  await cluster.loseSessions();
  t.like(await failure(cluster.world.complete(writing)), {
    code: 'ESTALE',
    weftCode: 'WEFT_E_SESSION_LOST',
  });
  const calls: (() => Promise<unknown>)[] = [
    () => file.read(Buffer.alloc(10), 0),
    () => file.write(Buffer.alloc(10), 0),
    () => file.sync(),
  ];
  for (const run of calls) {
    t.is((await failure(cluster.run(run))).weftCode, 'WEFT_E_SESSION_LOST');
  }
  await cluster.run(() => file.close());
  cluster.script = () => undefined;
  const again = await cluster.run(() => fs.open('a', 'r+'));
  t.is(cluster.count('openSession'), 2);
  await cluster.run(() => again.write(bytes, 0));
});

test('a file system that is closed leaves nothing running, and its files are closed', async (t) => {
  for (const passMs of [0, 0.3, 1, 3]) {
    const cluster = new Scripted({ iods: 2 });
    const fs = await cluster.connect();
    const file = await cluster.run(() => fs.open('a', 'w+'));
    const writing = cluster.begin(() => file.write(bytes, 0));
    const statting = cluster.begin(() => fs.stat('a'));
    await cluster.pass(passMs);
    await cluster.run(() => Promise.all([fs.close(), fs.close()]));
    await Promise.allSettled(
      [writing, statting].map((one: Promise<unknown>) => cluster.world.complete(one)),
    );
    t.is((await failure(cluster.run(() => file.read(Buffer.alloc(10), 0)))).code, 'EBADF');
    t.is((await failure(cluster.run(() => fs.stat('a')))).code, 'EPIPE');
    await cluster.run(() => file.close());
    await cluster.pass(20_000);
    const before = cluster.world.steps;
    await cluster.pass(1_000_000);
    t.is(cluster.world.steps, before);
    t.is(cluster.sessions.size, 0);
  }
});

test('a program that never looks at its failures is not ended by them (SCENARIOS 121)', async (t) => {
  const cluster = new Scripted({ iods: 2 });
  const fs = await cluster.connect({ callDeadlineMs: 500 });
  const file = await cluster.run(() => fs.open('a', 'w+'));
  const signal = AbortSignal.abort();
  cluster.mgr.kill();
  for (const iod of cluster.iods) iod.process.kill();
  // The world fails the run for a rejection that nobody handles.
  const calls = cluster.begin(async () => {
    const errors = [
      file.write(bytes, 0),
      file.read(Buffer.alloc(10), 0, { signal }),
      file.sync(),
      fs.stat('a'),
      fs.readdir('/'),
      fs.open('b'),
      fs.close(),
    ];
    await Promise.allSettled(errors);
  });
  await cluster.world.complete(calls);
  await cluster.pass(100_000);
  t.pass();
});

test('losses, delays and restarts of everybody: every write that returned is there', async (t) => {
  for (let seed = 1; seed <= 8; seed++) {
    const cluster = new Scripted({ seed, layout: { ssize: 4096 } });
    const fs = await cluster.connect();
    cluster.world.network.set({ lossProbability: 0.05, fragmentProbability: 0.3 });
    const processes = [cluster.mgr, ...cluster.iods.map(({ process }) => process)];
    for (let ms = 30; ms < 2_000; ms += 130) {
      cluster.world.after(ms, () => {
        const hit = Math.floor(ms / 130) % processes.length;
        if (ms % 3 === 0) cluster.world.network.cut('c', hit === 0 ? 'm' : `i${hit - 1}`);
        else processes[hit]?.restart();
      });
    }
    await cluster.run(async () => {
      const file = await fs.open('a', 'w+');
      const into = Buffer.alloc(20_000);
      for (let round = 0; round < 15; round++) {
        const content = Buffer.alloc(20_000, round + 1);
        await file.write(content, round * 7_000);
        await file.sync();
        t.is(await file.read(into, round * 7_000), content.length);
        t.true(into.equals(content), `seed ${seed}, round ${round}`);
        await new Promise<void>((resolve) => cluster.runtime.clock.timer(100, resolve));
      }
      await file.close();
    });
  }
});
