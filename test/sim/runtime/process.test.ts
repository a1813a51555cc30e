import assert from 'node:assert/strict';
import test from 'ava';
import { FsError } from '../../../shared/errno.ts';
import type { Runtime } from '../../../shared/runtime/runtime.ts';
import { ContractBreach, SimulationFailure } from './failure.ts';
import { at, connect, Ear, entryOf, listen } from './talk.ts';
import { World } from './world.ts';

/** Timers, promises, disk, deferred work: each life sign goes into `signs`. */
function busy(signs: string[]) {
  return ({ clock, disk }: Runtime): void => {
    const tick = (): void => {
      signs.push('timer');
      clock.defer(() => signs.push('deferred'));
      clock.timer(1, tick);
    };
    tick();
    const write = async (): Promise<void> => {
      const file = await disk.open('/f', 'create');
      for (;;) {
        await file.write([Buffer.from('x')], 0);
        signs.push('disk');
      }
    };
    void write();
  };
}

test('after a kill nothing of the process runs any more', async (t) => {
  const world = new World({ seed: 1 });
  const signs: string[] = [];
  const process = world.process('p', { host: world.host('a'), main: busy(signs) });
  await world.run({ untilMs: 50 });
  t.deepEqual(new Set(signs), new Set(['timer', 'deferred', 'disk']));
  process.kill();
  signs.length = 0;
  await world.run({ untilMs: 100 });
  t.deepEqual(signs, []);
  t.false(process.alive);
});

test('a restarted process begins anew, with a random stream of its own', async (t) => {
  const world = new World({ seed: 1 });
  const lives: Uint8Array[] = [];
  const process = world.process('p', {
    host: world.host('a'),
    main: ({ random }) => void lives.push(random.bytes(8)),
  });
  await world.run({ untilMs: 1 });
  process.restart();
  await world.run({ untilMs: 2 });
  t.is(lives.length, 2);
  t.notDeepEqual(lives[0], lives[1]);
  t.is(process.starts, 2);
});

test('a paused process runs nothing; afterwards everything, late and in order', async (t) => {
  const world = new World({ seed: 1 });
  const signs: string[] = [];
  const heard: string[] = [];
  const process = world.process('p', {
    host: world.host('a'),
    main: async (runtime) => {
      await listen(runtime, () => new Ear((text) => heard.push(text)));
      for (const delayMs of [3, 1, 2]) {
        runtime.clock.timer(delayMs * 10, () =>
          signs.push(`${delayMs} at ${Math.round(world.nowMs)}`),
        );
      }
    },
  });
  const peer = world.process('peer', {
    host: world.host('b'),
    main: async (runtime) => {
      const channel = await connect(runtime, at('a'), new Ear());
      for (let i = 0; i < 20; i++) runtime.clock.timer(i, () => channel.send(entryOf(String(i))));
    },
  });
  await world.run({ untilMs: 5 });
  const heardBefore = heard.length;
  process.pause();
  await world.run({ untilMs: 500 });
  t.true(peer.alive);
  t.deepEqual(signs, []);
  t.is(heard.length, heardBefore);
  process.resume();
  await world.run({ untilMs: 501 });
  t.deepEqual(signs, ['1 at 500', '2 at 500', '3 at 500']);
  t.deepEqual(
    heard.map(Number),
    Array.from({ length: 20 }, (_, i) => i),
  );
});

test('what comes while a process catches up waits for its turn', async (t) => {
  const world = new World({ seed: 1 });
  const signs: string[] = [];
  const process = world.process('p', {
    host: world.host('a'),
    main: ({ clock }) => {
      for (const name of ['a', 'b', 'c']) clock.timer(1, () => signs.push(name));
    },
  });
  await world.run({ untilMs: 0.5 });
  process.pause();
  await world.run({ untilMs: 10 });
  process.resume();
  await world.complete(process.call(() => void signs.push('last')));
  t.is(signs.length, 4);
  t.is(signs.at(-1), 'last');
});

test('a process that is killed while paused never wakes', async (t) => {
  const world = new World({ seed: 1 });
  const signs: string[] = [];
  const process = world.process('p', { host: world.host('a'), main: busy(signs) });
  await world.run({ untilMs: 10 });
  process.pause();
  await world.run({ untilMs: 20 });
  signs.length = 0;
  process.kill();
  process.resume();
  await world.run({ untilMs: 30 });
  t.deepEqual(signs, []);
});

test('a call into a process gives its result, its error, or says that the process has ended', async (t) => {
  const world = new World({ seed: 1 });
  const process = world.process('p', { host: world.host('a'), main: () => undefined });
  t.is(await world.complete(process.call(() => 42)), 42);
  const failing = process.call(() => Promise.reject(new FsError('ENOENT')));
  await t.throwsAsync(world.complete(failing), { code: 'ENOENT' });
  const endless = process.call(() => new Promise<never>(() => undefined));
  world.after(5, () => process.kill());
  await t.throwsAsync(world.complete(endless), { name: 'ProcessEnded' });
});

const faults: Record<string, (runtime: Runtime) => Promise<void> | void> = {
  'main throws': () => {
    throw new Error('boom');
  },
  'main rejects': () => Promise.reject(new Error('boom')),
  'a timer throws': ({ clock }) => {
    clock.timer(1, () => {
      throw new Error('boom');
    });
  },
  'a promise is rejected and nobody looks': ({ disk }) => {
    void disk.stat('/').then(() => {
      throw new Error('boom');
    });
  },
};

for (const [title, main] of Object.entries(faults)) {
  test(`the run fails when ${title}`, async (t) => {
    const world = new World({ seed: 4711, commit: 'abc123' });
    world.process('culprit', { host: world.host('a'), main });
    const error = await t.throwsAsync(world.run({ untilMs: 100 }), {
      instanceOf: SimulationFailure,
    });
    t.regex(error.message, /simulation failed in process culprit: Error: boom/);
    t.regex(error.message, /npm run sim -- --seed 4711 --steps \d+/);
    t.regex(error.message, /at \d+\.\d+ ms, step \d+, seed 4711, commit abc123/);
    t.regex(error.message, /last \d+ events:\n.*culprit/);
    await t.throwsAsync(world.run({ untilMs: 200 }), { is: error }, 'it stays failed');
  });
}

/** A timer after the seventh finds a mistake. */
function worldWithMistake(): World {
  const world = new World({ seed: 3 });
  world.process('p', {
    host: world.host('a'),
    main: ({ clock }) => {
      for (let i = 0; i < 10; i++) clock.timer(i, () => assert.notEqual(i, 7));
    },
  });
  return world;
}

test('the steps of a failure lead to it again', async (t) => {
  const failure = await t.throwsAsync(worldWithMistake().run({ untilMs: 100 }), {
    instanceOf: SimulationFailure,
  });
  const { steps } = failure.context;
  await t.notThrowsAsync(worldWithMistake().run({ steps: steps - 1 }));
  await t.throwsAsync(worldWithMistake().run({ steps }), { message: failure.message });
});

async function runOfStats(rejects: boolean): Promise<void> {
  const world = new World({ seed: 1 });
  world.process('p', {
    host: world.host('a'),
    main: async ({ disk }) => {
      for (let i = 0; i < 20; i++) await disk.stat('/');
      if (rejects) void Promise.reject(new Error('boom'));
      for (let i = 0; i < 20; i++) await disk.stat('/');
    },
  });
  await world.run({ untilMs: 100 });
}

test('two worlds that run at once keep their failures apart', async (t) => {
  const [good, bad] = await Promise.allSettled([runOfStats(false), runOfStats(true)]);
  t.is(good.status, 'fulfilled');
  t.is(bad.status, 'rejected');
});

test('an AssertionError ends a process that is made so, and it can be started again', async (t) => {
  const world = new World({ seed: 1 });
  const ends: string[] = [];
  const process = world.process('p', {
    host: world.host('a'),
    exitOnAssertion: true,
    onEnd: (how, ended) => {
      ends.push(how);
      world.after(10, () => ended.start());
    },
    main: async ({ disk }) => {
      await disk.stat('/');
      assert.fail('we are wrong');
    },
  });
  await world.run({ until: () => process.starts === 3 });
  t.deepEqual(ends, ['assertion', 'assertion']);
});

test('a run that waits for something fails when it does not come', async (t) => {
  const idle = new World({ seed: 1 });
  await t.throwsAsync(idle.run({ until: () => false }), { message: /did not come true/ });
  const late = new World({ seed: 1 });
  const process = late.process('p', { host: late.host('a'), main: busy([]) });
  await t.throwsAsync(late.run({ until: () => false, untilMs: 20 }), {
    message: /did not come true/,
  });
  t.true(process.alive);
});

test('a checker can fail the run', async (t) => {
  const world = new World({ seed: 1 });
  world.process('p', { host: world.host('a'), main: busy([]) });
  world.after(5, () => world.fail(new ContractBreach('two owners')));
  await t.throwsAsync(world.run({ untilMs: 10 }), { message: /in the world: ContractBreach: two/ });
});
