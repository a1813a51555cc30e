/**
 * Programs of several versions in one cluster. There is one version of the protocol so far: what is
 * tried is that all agree on one that each of them speaks, and obey the one that the cluster runs.
 */
import test from 'ava';
import type { Versions } from '../../shared/rpc/handshake.ts';
import { on, Stage } from './stage.ts';

const first: Versions = { min: 1, max: 1 };
const both: Versions = { min: 1, max: 2 };
const second: Versions = { min: 2, max: 2 };

type Programs = Record<string, Versions>;

function stageOf(seed: number, programs: Programs): Stage {
  const versions = (daemon: string): Versions => programs[daemon] ?? first;
  return new Stage({ seed, iods: 2, programs: 1, versions });
}

const running = (stage: Stage): string | undefined => stage.cluster.store?.setting('protocol');

/** Reads what it writes, at each iod. */
async function works(stage: Stage): Promise<boolean> {
  const fs = await stage.join(0);
  const bytes = Buffer.alloc(100_000, 7);
  const read: Buffer[] = [];
  for (const iod of [0, 1]) {
    const path = `/${stage.world.nowMs}-${iod}`;
    await stage.run(0, () => fs.writeFile(path, bytes, { layout: on(iod) }));
    read.push(await stage.run(0, () => fs.readFile(path)));
  }
  await stage.run(0, () => fs.close());
  return read.every((one) => one.equals(bytes));
}

for (const order of [
  ['mgr', 'iod0', 'iod1'],
  ['iod0', 'mgr', 'iod1'],
  ['iod1', 'iod0', 'mgr'],
] as const) {
  test(`in whatever order they start, the mgr says what is spoken, and all speak it: ${order.join(', ')} (SCENARIOS 254, 259)`, async (t) => {
    const stage = stageOf(1, { mgr: both, iod0: both, iod1: first });
    const { mgr, iods } = stage.cluster;
    const daemons = new Map(
      [mgr, ...iods.map(({ process }) => process)].map((one) => [one.name, one]),
    );
    for (const daemon of daemons.values()) daemon.kill();
    for (const name of order) {
      daemons.get(name)?.start();
      await stage.pass(500);
    }
    t.true(await works(stage));
    t.is(running(stage), '2');
  });
}

test('a cluster in the middle of an upgrade speaks what it spoke before, also while it recovers (SCENARIOS 102)', async (t) => {
  const programs: Programs = { mgr: first, iod0: first, iod1: first };
  const stage = stageOf(2, programs);
  t.true(await works(stage));
  for (const daemon of ['mgr', 'iod0']) {
    programs[daemon] = both;
    const process = daemon === 'mgr' ? stage.cluster.mgr : stage.iod(0).process;
    stage.bounce(process, 100);
    stage.bounce(stage.iod(1).process, 200);
    await stage.pass(1_000);
    t.true(await works(stage));
  }
  t.is(running(stage), '1');
});

test('who does not speak what the cluster does is told both ranges, and the others go on (SCENARIOS 102, 253)', async (t) => {
  const programs: Programs = { mgr: first, iod0: first, iod1: first };
  const stage = stageOf(3, programs);
  t.true(await works(stage));
  // The mgr could speak what the new iod does: the cluster does not.
  programs['mgr'] = both;
  programs['iod1'] = second;
  stage.bounce(stage.cluster.mgr, 100);
  stage.bounce(stage.iod(1).process, 100);
  await stage.pass(3_000);
  const refusals = stage.world.log.lines.filter(({ process }) => process === 'iod1');
  t.true(
    refusals.some(({ fields }) => String(fields['why']).includes('speaks protocol 2-2, we 1-1')),
  );
  programs['iod1'] = both;
  await stage.pass(5_000);
  t.true(await works(stage));
});

test('a mgr that dies before it has stored what is spoken has said nothing: the next one decides (SCENARIOS 255)', async (t) => {
  const programs: Programs = { mgr: both };
  const stage = stageOf(5, programs);
  stage.cluster.mgr.kill();
  programs['mgr'] = first;
  stage.cluster.mgr.start();
  await stage.pass(3_000);
  t.true(await works(stage));
  t.is(running(stage), '1');
});
