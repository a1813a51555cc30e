/** What an iod that stops leaves to its next start: told is only what has changed, whatever it is. */
import test, { type ExecutionContext } from 'ava';
import { readFileIfThere, replaceFileDurably } from '../../shared/durable-names.ts';
import type { Handle, SessionId } from '../../shared/units.ts';
import { dataOps } from '../../shared/wire/iod-ops.ts';
import type { Cap } from '../../shared/wire/values.ts';
import type { Step } from './scripted-mgr.ts';
import { Stage, type StageOptions } from './stage.ts';

const image = '/data/opens';
const files = 12;
const mine = 7 as SessionId;
const handleOf = (value: number): Handle => value as Handle;

/** An iod that has stopped in order, and knew of some opens. */
async function stoppedStage(
  options: StageOptions = {},
): Promise<{ readonly stage: Stage; readonly caps: readonly Cap[] }> {
  const stage = new Stage(options);
  const caps = await stage.asMgr((mgr) =>
    Array.from({ length: files }, (_, at) => mgr.open(handleOf(at + 1), mine, 3)),
  );
  await stage.untilServing();
  await stage.stopIod();
  return { stage, caps };
}

function readImage(stage: Stage): Promise<Buffer> {
  return stage.world.complete(
    stage.iodProcess.call(
      async ({ disk }) => (await readFileIfThere(disk, image)) ?? Buffer.alloc(0),
    ),
  );
}

function writeImage(stage: Stage, content: Uint8Array): Promise<void> {
  return stage.world.complete(
    stage.iodProcess.call(({ disk }) => replaceFileDurably(disk, image, content)),
  );
}

/** Starts it again. @returns what it asked the mgr for in its sync */
async function startedAgain(stage: Stage): Promise<readonly Step[]> {
  const before = stage.mgr.steps.length;
  const serving = stage.serving + 1;
  stage.iodProcess.restart();
  await stage.untilServing(serving);
  return stage.mgr.steps.slice(before).filter((step) => step !== 'report');
}

/** It admits exactly what the mgr has, by caps older than its table. */
async function checkRights(t: ExecutionContext, stage: Stage, caps: readonly Cap[]): Promise<void> {
  const client = await stage.connect({ session: mine });
  const { openEntries, openSequence } = await client.call(dataOps.iodStatus, {});
  t.is(openEntries, stage.mgr.entries.length);
  t.is(openSequence, stage.mgr.sequence);
  for (const cap of caps) {
    const { handle, sequence } = cap.body;
    const isOpen = stage.mgr.entries.some(
      (entry) => entry.handle === handle && entry.session === mine && entry.sequence === sequence,
    );
    const admitted = client.call(dataOps.admit, { cap });
    await (isOpen ? t.notThrowsAsync(admitted) : t.throwsAsync(admitted, { message: /ESTALE/ }));
  }
}

test('after a stop in order nothing travels but digests', async (t) => {
  const { stage, caps } = await stoppedStage();
  const steps = await startedAgain(stage);
  t.deepEqual([...new Set(steps)], ['join', 'compare', 'confirm', 'serving']);
  await checkRights(t, stage, caps);
});

test('after a stop in order only what has changed meanwhile travels', async (t) => {
  const { stage, caps } = await stoppedStage();
  await stage.asMgr((mgr) => mgr.open(handleOf(5), mine, 0));
  await stage.asMgr((mgr) => mgr.open(handleOf(9), 8 as SessionId, 1));
  const steps = await startedAgain(stage);
  t.is(steps.filter((step) => step === 'snapshot').length, 2);
  await checkRights(t, stage, caps);
});

test('after a death what the last stop has left still spares what has not changed', async (t) => {
  const { stage, caps } = await stoppedStage();
  await startedAgain(stage);
  await stage.asMgr((mgr) => mgr.open(handleOf(5), mine, 0));
  const steps = await startedAgain(stage);
  t.is(steps.filter((step) => step === 'snapshot').length, 1);
  await checkRights(t, stage, caps);
});

test('when the mgr comes back, what an iod that serves knows need not travel', async (t) => {
  const { stage, caps } = await stoppedStage();
  await startedAgain(stage);
  const before = stage.mgr;
  stage.startMgr();
  await stage.world.run({
    until: () => stage.mgr !== before && stage.mgr.addresses.length > 0,
  });
  t.false(stage.mgr.steps.includes('snapshot'));
  t.true(stage.mgr.steps.includes('compare'));
  await checkRights(t, stage, caps);
});

test('a sync that is cut goes on from what it has learned', async (t) => {
  let pages = 0;
  const stage = new Stage({
    mgr: {
      before: (step) => {
        if (step === 'snapshot' && ++pages === 5) stage.mgr.cut();
      },
    },
  });
  await stage.asMgr((mgr) => {
    for (let at = 1; at <= files; at++) mgr.open(handleOf(at), mine, 3);
  });
  await stage.untilSynced();
  // Two opens a page; those of the page that was cut come again.
  t.is(pages, files / 2 + 1);
  await checkRights(t, stage, []);
});

const entryBytes = 25;
const damages: Readonly<Record<string, (good: Buffer) => Uint8Array>> = {
  'a flipped bit': (good) => {
    const bad = Buffer.from(good);
    bad[good.length >> 1] = (bad[good.length >> 1] ?? 0) ^ 4;
    return bad;
  },
  'its end missing': (good) => good.subarray(0, good.length - 30),
  nothing: () => Buffer.alloc(0),
  'zeros only': (good) => Buffer.alloc(good.length),
  'ones only': (good) => Buffer.alloc(good.length, 0xff),
  'all moved by a byte': (good) => Buffer.concat([Buffer.alloc(1), good]),
  'each entry twice': (good) => Buffer.concat([good, good]),
  'other rights': (good) => {
    const bad = Buffer.from(good);
    for (let at = entryBytes - 1; at < bad.length; at += entryBytes) bad[at] = 1;
    return bad;
  },
};

for (const [name, damage] of Object.entries(damages)) {
  test(`an image with ${name} costs time, and nothing else (SCENARIOS 190)`, async (t) => {
    const { stage, caps } = await stoppedStage();
    await writeImage(stage, damage(await readImage(stage)));
    await stage.asMgr((mgr) => mgr.open(handleOf(5), mine, 0));
    await startedAgain(stage);
    await checkRights(t, stage, caps);
    t.deepEqual(stage.failures, []);
  });
}

test('an image of an older life is compared as any other', async (t) => {
  const { stage, caps } = await stoppedStage();
  const old = await readImage(stage);
  await startedAgain(stage);
  // Closed, and opened again with other rights: the old cap is worth nothing.
  await stage.asMgr((mgr) => {
    for (let at = 1; at <= files; at += 2) {
      mgr.open(handleOf(at), mine, 0);
      mgr.open(handleOf(at), mine, 1);
    }
    mgr.open(handleOf(2), mine, 0);
  });
  await stage.pass(100);
  await stage.stopIod();
  await writeImage(stage, old);
  await startedAgain(stage);
  await checkRights(
    t,
    stage,
    caps.filter(({ body }) => body.handle % 2 === 0),
  );
});

test('an image of another cluster is worth nothing', async (t) => {
  const other = await stoppedStage();
  const foreign = await readImage(other.stage);
  const stage = new Stage();
  await stage.asMgr((mgr) => {
    for (let at = 0; at < files; at++) mgr.open(handleOf(at + 3), 9 as SessionId, 3);
  });
  await stage.untilServing();
  await stage.stopIod();
  await writeImage(stage, foreign);
  await startedAgain(stage);
  await checkRights(t, stage, other.caps);
});

test('without a mgr an iod serves nobody by what it has written down', async (t) => {
  const { stage, caps } = await stoppedStage({ iod: { syncTimeoutMs: 1000 } });
  stage.mgrProcess.kill();
  await startedAgain(stage);
  const client = await stage.connect({ session: mine });
  t.is((await client.call(dataOps.iodStatus, {})).openEntries, 0);
  for (const cap of caps) {
    await t.throwsAsync(client.once(dataOps.admit, { cap }), { message: /EAGAIN/ });
  }
});

test('a disk that takes no image does not hinder a stop', async (t) => {
  const stage = new Stage();
  await stage.asMgr((mgr) => mgr.open(handleOf(1), mine, 3));
  await stage.untilServing();
  stage.iodProcess.host.disk.fail({ path: image, errno: 'ENOSPC', times: 1 });
  await stage.stopIod();
  await startedAgain(stage);
  t.deepEqual(stage.failures, []);
});
