/**
 * An iod that syncs again is told the difference only: whatever died in between and whatever was
 * opened and closed meanwhile, its table is that of the mgr (SCENARIOS I2, 33-37, 86-88).
 */
import test, { type ExecutionContext } from 'ava';
import type { File } from '../../client/file.ts';
import { connect } from '../../client/connect.ts';
import type { FileSystem } from '../../client/file-system.ts';
import { OpenImage } from '../../iod/open-image.ts';
import { rightsOf } from '../../mgr/open-rows.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import { iodOfColumn } from '../../shared/stripe.ts';
import type { OpenEntry } from '../../shared/wire/values.ts';
import { Cluster, clusterUrl, type IodNode, secret } from './cluster.ts';
import type { World } from './runtime/world.ts';

const files = 700;
const changes = 6;
const rounds = 6;

type Fault = 'iod-stop' | 'iod-kill' | 'mgr-kill' | 'both-iods';
const faults: readonly Fault[] = ['iod-stop', 'iod-stop', 'iod-kill', 'mgr-kill', 'both-iods'];

for (const seed of [1, 2, 3, 4]) {
  test(`after each of many deaths the iods have the table of the mgr (seed ${seed}) (SCENARIOS 35-37, 86-88)`, async (t) => {
    const cluster = new Cluster({ seed, iods: 2, onPowerLoss: () => undefined });
    const { world } = cluster;
    const client = cluster.client('client', () => undefined);
    await world.complete(
      client.call(async (runtime) => {
        const fs = await connect(clusterUrl, { runtime, key: secret, uid: 0, gid: 0 });
        const held: File[] = [];
        for (let at = 0; at < files; at++) held.push(await openFile(fs, at));
        for (let round = 0; round < rounds; round++) {
          strike(cluster, faults[below(world, faults.length)] ?? 'iod-kill');
          for (let change = 0; change < changes; change++) {
            await pause(runtime, world.random.within([1, 300]));
            const at = below(world, files);
            await held[at]?.close();
            const again = below(world, 2) === 0 ? at : files + round * changes + change;
            held[at] = await openFile(fs, again);
          }
          await untilServing(runtime, fs);
        }
      }),
    );
    await checkTables(t, cluster);
  });
}

/** A whole number. */
function below(world: World, end: number): number {
  return Math.floor(world.random.within([0, end]));
}

function openFile(fs: FileSystem, at: number): Promise<File> {
  const layout = { base: at % 2, pcount: 1 + (at % 3 === 0 ? 1 : 0) };
  return fs.open(`/${at}`, at % 5 === 0 ? 'a+' : 'w+', { layout });
}

function strike(cluster: Cluster, fault: Fault): void {
  const { world, mgr, iods } = cluster;
  const [first] = iods;
  const kill = (process: IodNode['process']): void => {
    process.kill();
    world.after(world.random.within([20, 1000]), () => {
      process.start();
    });
  };
  world.after(0, () => {
    if (fault === 'mgr-kill') kill(mgr);
    else if (fault === 'both-iods') for (const { process } of iods) cluster.terminate(process);
    else if (fault === 'iod-kill' && first) kill(first.process);
    else if (first) cluster.terminate(first.process);
  });
}

async function untilServing(runtime: Runtime, fs: FileSystem): Promise<void> {
  for (;;) {
    await pause(runtime, 100);
    const { state, members } = await fs.status();
    if (state === 'ACTIVE' && members.every((member) => member.state === 'serving')) return;
  }
}

function pause(runtime: Runtime, ms: number): Promise<void> {
  return new Promise((resolve) => {
    runtime.clock.timer(ms, resolve);
  });
}

/** What an iod knew is what it leaves when it is stopped. */
async function checkTables(t: ExecutionContext, cluster: Cluster): Promise<void> {
  const { world, iods, store } = cluster;
  // What was opened last has reached them.
  await world.run({ untilMs: world.nowMs + 1000 });
  const opens = [...(store?.opens() ?? [])];
  t.is(opens.length, files);
  for (const { index, process, name } of iods) {
    const life = process.starts;
    cluster.terminate(process);
    await world.run({ until: () => process.starts > life });
    const known = await world.complete(
      process.call((runtime) => new OpenImage(runtime, '/data').read()),
    );
    const expected = opens.flatMap(({ layout, ...row }): OpenEntry[] => {
      if (layout === undefined) return [];
      const columns = Array.from({ length: layout.pcount }, (_, column) => column);
      const isOwn = columns.some((column) => iodOfColumn(layout, column) === index);
      const { handle, session, sequence } = row;
      return isOwn ? [{ handle, session, rights: rightsOf(row), sequence }] : [];
    });
    t.deepEqual(inOrder(known), inOrder(expected), name);
  }
}

function inOrder(entries: Iterable<OpenEntry>): OpenEntry[] {
  return [...entries].toSorted((a, b) => a.handle - b.handle);
}
