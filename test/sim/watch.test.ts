/** Changes are told across hosts, and what may have been missed is never kept quiet. */
import test from 'ava';
import { connect } from '../../client/connect.ts';
import type { Change } from '../../client/change-watches.ts';
import type { FileSystem } from '../../client/file-system.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import type { Handle } from '../../shared/units.ts';
import { Cluster, clusterUrl, secret } from './cluster.ts';

function makeWorld(seed: number) {
  const cluster = new Cluster({ seed, iods: 2, onPowerLoss: () => undefined });
  const { world } = cluster;
  const programs = ['watcher', 'writer'].map((name) => cluster.client(name, () => undefined));
  const run = <T>(program: number, work: (runtime: Runtime) => Promise<T>): Promise<T> => {
    const process = programs[program];
    if (process === undefined) throw new Error(`there is no program ${program}`);
    return world.complete(process.call(work));
  };
  const join = (program: number): Promise<FileSystem> =>
    run(program, (runtime) => connect(clusterUrl, { runtime, key: secret, uid: 0, gid: 0 }));
  return { cluster, world, run, join };
}

for (const seed of [1, 2, 3]) {
  test(`who watches hears what another host commits, also behind a death of the mgr (seed ${seed})`, async (t) => {
    const { cluster, world, run, join } = makeWorld(seed);
    const [watcher, writer] = [await join(0), await join(1)];
    const heard: (Change | undefined)[] = [];
    const shown = (): string[] => heard.map((one) => (one ? `${one.kind} ${one.path}` : 'missed'));
    await run(1, () => writer.mkdir('/d'));
    await run(0, async ({ clock }) => {
      const handle = (await watcher.stat('/d')).ino as Handle;
      const deadline = clock.now() + 60_000;
      await watcher.session.watch(
        { handle, recursive: false },
        (change) => {
          heard.push(change);
        },
        { deadline },
      );
    });
    t.deepEqual(shown(), []);
    await run(1, () => writer.writeFile('/d/file', 'content'));
    await world.run({ untilMs: world.nowMs + 1000 });
    t.deepEqual([...new Set(shown())], ['rename file', 'change file']);
    heard.length = 0;
    cluster.mgr.kill();
    world.after(500, () => {
      cluster.mgr.start();
    });
    await run(1, () => writer.unlink('/d/file'));
    await world.run({ untilMs: world.nowMs + 60_000 });
    t.true(shown().includes('missed'));
    heard.length = 0;
    await run(1, () => writer.mkdir('/d/later'));
    await world.run({ untilMs: world.nowMs + 1000 });
    t.deepEqual(shown(), ['rename later']);
  });
}

test('a change that fails is not told', async (t) => {
  const { world, run, join } = makeWorld(4);
  const [watcher, writer] = [await join(0), await join(1)];
  const heard: (Change | undefined)[] = [];
  await run(0, async ({ clock }) => {
    const deadline = clock.now() + 60_000;
    const { ino } = await watcher.stat('/');
    const target = { handle: ino as Handle, recursive: true };
    await watcher.session.watch(target, (change) => heard.push(change), { deadline });
  });
  await t.throwsAsync(
    run(1, () => writer.unlink('/none')),
    { code: 'ENOENT' },
  );
  await run(1, () => writer.mkdir('/made'));
  await t.throwsAsync(
    run(1, () => writer.mkdir('/made')),
    { code: 'EEXIST' },
  );
  await world.run({ untilMs: world.nowMs + 1000 });
  t.deepEqual(heard, [{ kind: 'rename', path: 'made' }]);
});

test('what is gone while the mgr is away is missed, and does not keep the client from coming back', async (t) => {
  const { cluster, world, run, join } = makeWorld(5);
  const [watcher, writer] = [await join(0), await join(1)];
  const heard: (Change | undefined)[] = [];
  await run(1, () => writer.mkdir('/gone'));
  await run(0, async ({ clock }) => {
    const deadline = clock.now() + 60_000;
    const target = { handle: (await watcher.stat('/gone')).ino as Handle, recursive: false };
    await watcher.session.watch(target, (change) => heard.push(change), { deadline });
  });
  await run(1, () => writer.rmdir('/gone'));
  cluster.mgr.kill();
  cluster.mgr.start();
  await world.run({ untilMs: world.nowMs + 60_000 });
  t.is(heard.at(-1), undefined);
  t.true((await run(0, () => watcher.stat('/'))).isDirectory());
});
