import test from 'ava';
import { at, connect, Ear, entryOf, listen } from './talk.ts';
import { firstDifference, Trace } from './trace.ts';
import { World } from './world.ts';

/** A world in which chance, network, disk, timers and logs all have their say. */
async function chatter(seed: number, text = 'hello', keepTrace = false): Promise<World> {
  const world = new World({ seed, keepTrace });
  world.network.set({ fragmentProbability: 0.3, lossProbability: 0.1 });
  world.process('server', {
    host: world.host('s'),
    main: async (runtime) => {
      await listen(runtime, (channel) => {
        return new Ear((heard) => channel.send(entryOf(heard)));
      });
    },
  });
  for (const name of ['c1', 'c2', 'c3']) {
    world.process(name, {
      host: world.host(name),
      main: async (runtime) => {
        let left = 20;
        const file = await runtime.disk.open('/notes', 'create');
        const channel = await connect(
          runtime,
          at('s'),
          new Ear((heard) => {
            runtime.log.info('heard', { heard });
            if (--left > 0) runtime.clock.timer(runtime.random.fraction() * 10, say);
          }),
        );
        const say = (): void => {
          channel.send(entryOf(`${text} ${left}`));
        };
        say();
        await file.write([runtime.random.bytes(100)], 0);
        await file.sync();
      },
    });
  }
  await world.run({ untilMs: 1000 });
  return world;
}

test('one seed gives one trace, another seed another', async (t) => {
  const [first, second, other] = await Promise.all([chatter(7), chatter(7), chatter(8)]);
  t.is(first.trace.hash, second.trace.hash);
  t.is(first.steps, second.steps);
  t.not(first.trace.hash, other.trace.hash);
  t.true(first.trace.count > 200);
});

function hashOf(atMs: number, who: string, what: string, detail: string | number): string {
  const trace = new Trace({ tailEvents: 1, keepAll: false });
  trace.record(atMs, who, what, detail);
  return trace.hash;
}

test('each part of an event counts', (t) => {
  const hashes = [
    hashOf(1, 'a', 'does', 'x'),
    hashOf(1.0000001, 'a', 'does', 'x'),
    hashOf(1, 'b', 'does', 'x'),
    hashOf(1, 'a', 'did', 'x'),
    hashOf(1, 'a', 'does', 'y'),
    hashOf(1, 'a', 'does', 1),
    hashOf(1, 'a', 'does', 2),
    hashOf(1, 'ad', 'oes', 'x'),
  ];
  t.is(new Set(hashes).size, hashes.length);
  t.is(hashes[0], hashOf(1, 'a', 'does', 'x'));
});

test('the first difference between two runs is found', async (t) => {
  const [a, same, other] = [
    await chatter(7, 'hello', true),
    await chatter(7, 'hello', true),
    await chatter(7, 'hullo', true),
  ];
  t.is(firstDifference(a.trace, same.trace), undefined);
  const difference = firstDifference(a.trace, other.trace);
  t.regex(difference?.a ?? '', /received \d+ bytes/);
  t.not(difference?.a, difference?.b);
});

test('log lines are kept, and are part of the trace', async (t) => {
  const world = await chatter(7);
  const lines = world.log.lines.filter(({ process }) => process === 'c1');
  t.is(lines.length, 20);
  t.like(lines[0], { level: 'info', message: 'heard', fields: { heard: 'hello 20' } });
  t.true(world.trace.tail().length <= 50);
});

test('a logger adds its own fields, keeps to its level, and survives any value', async (t) => {
  const world = new World({ seed: 1, logLevel: 'warn' });
  world.process('a', {
    host: world.host('a'),
    main: ({ log }) => {
      t.true(log.enabled('error') && log.enabled('warn') && !log.enabled('info'));
      const child = log.child({ conn: 1 }).child({ tag: 2 });
      child.warn('odd', { error: new Error('broken'), big: 10n });
      child.info('unseen');
      child.debug('unseen');
    },
  });
  await world.run({ untilMs: 1 });
  t.is(world.log.lines.length, 1);
  t.like(world.log.lines[0], { level: 'warn', fields: { conn: 1, tag: 2, big: 10n } });
  t.true(world.trace.tail().some((line) => line.includes('"error":"Error: broken"')));
});
