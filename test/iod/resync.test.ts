/** From start to serving: what an iod learns, when its port opens, and what may cut it. */
import test, { type ExecutionContext } from 'ava';
import { FsError } from '../../shared/errno.ts';
import type { Endpoint } from '../../shared/runtime/runtime.ts';
import { killPoints } from '../../shared/runtime/kill-points.ts';
import type { Handle, SessionId } from '../../shared/units.ts';
import { dataOps } from '../../shared/wire/iod-ops.ts';
import type { Cap } from '../../shared/wire/values.ts';
import { type BareClient, Gate, Stage, tcp } from './stage.ts';
import type { ScriptedMgr, Step } from './scripted-mgr.ts';

const handle = (value: number): Handle => value as Handle;
const session = (value: number): SessionId => value as SessionId;
const unix: Endpoint = { kind: 'unix', path: '/data/iod.sock' };
const mine = session(7);

/** Opens of two sessions: enough for several pages. */
function openSome(mgr: ScriptedMgr, count = 5): Cap[] {
  return Array.from({ length: count }, (_, at) => {
    mgr.open(handle(at + 1), session(8), 1);
    return mgr.open(handle(at + 1), mine, 3);
  });
}

async function probe(stage: Stage): Promise<string> {
  const runtimeProbe = async (endpoint: Endpoint, process = stage.client): Promise<string> =>
    stage.world.complete(
      process.call(async ({ net }) => {
        const handlers = {
          payloadSink: () => undefined,
          entry: () => undefined,
          drained: () => undefined,
          closed: () => undefined,
        };
        try {
          const channel = await net.connect(endpoint, { timeoutMs: 5000 }, handlers);
          channel.close(new FsError('ECANCELED'));
          return 'open';
        } catch (error) {
          return error instanceof FsError ? error.code : String(error);
        }
      }),
    );
  return `${await runtimeProbe(tcp)} ${await runtimeProbe(unix, stage.iodProcess)}`;
}

/** The iod has the very table of the mgr, as far as clients can tell. */
async function checkTable(t: ExecutionContext, stage: Stage, client?: BareClient): Promise<void> {
  const asker = client ?? (await stage.connect({}));
  const status = await asker.call(dataOps.iodStatus, {});
  t.is(status.openEntries, stage.mgr.entries.length);
  t.is(status.openSequence, stage.mgr.sequence);
  t.is(status.state, 'SERVING');
}

test('the port opens last: it is refused in every step of the sync', async (t) => {
  const held: Step[] = [];
  const gate = new Gate();
  const stage = new Stage({
    mgr: {
      before: (step) => {
        held.push(step);
        return gate.wait();
      },
    },
  });
  await stage.asMgr((mgr) => openSome(mgr, 2));
  for (const expected of ['join', 'snapshot', 'snapshot', 'confirm'] as const) {
    await stage.world.run({ until: () => held.length > 0 });
    t.deepEqual(held.splice(0), [expected]);
    t.is(await probe(stage), 'ECONNREFUSED ECONNREFUSED', expected);
    gate.open();
  }
  await stage.world.run({ until: () => held.length > 0 });
  t.deepEqual(held, ['serving']);
  t.is(await probe(stage), 'open open');
  gate.open();
  await stage.untilServing();
  t.deepEqual(stage.mgr.addresses, [{ port: 7301, unixPath: '/data/iod.sock' }]);
});

test('an iod that serves has the table of the mgr, page by page', async (t) => {
  const stage = new Stage({ withoutMgr: true });
  stage.startMgr();
  const caps = await stage.asMgr((mgr) => openSome(mgr, 5));
  await stage.untilServing();
  await checkTable(t, stage);
  const client = await stage.connect({ session: 7 });
  for (const cap of caps) await t.notThrowsAsync(client.once(dataOps.admit, { cap }));
  t.true(stage.mgr.steps.filter((step) => step === 'snapshot').length > 1);
});

test('opens and closes while the snapshot travels are in the table at the end', async (t) => {
  let snapshots = 0;
  const stage = new Stage({
    mgr: {
      before: (step) => {
        if (step !== 'snapshot' || stage.mgr.entries.length === 0) return;
        snapshots++;
        // Closed after and before its page has come, opened before and after the page of its place.
        stage.mgr.open(handle(1), mine, 0);
        stage.mgr.open(handle(5), session(8), 0);
        stage.mgr.open(handle(2), mine, 1);
        stage.mgr.open(handle(1), session(100 + snapshots), 3);
        stage.mgr.open(handle(9), session(100 + snapshots), 3);
      },
    },
  });
  await stage.asMgr((mgr) => openSome(mgr, 5));
  await stage.untilServing();
  await stage.pass(100);
  t.true(snapshots > 2);
  await checkTable(t, stage);
});

test('an iod asks again as long as the mgr says that something is left to do', async (t) => {
  const stage = new Stage();
  await stage.asMgr((mgr) => {
    mgr.refusals = 4;
  });
  await stage.untilServing();
  t.is(stage.mgr.steps.filter((step) => step === 'confirm').length, 5);
});

test('a connection lost at any step costs a new sync, never a table made of two halves (SCENARIOS 47, 89)', async (t) => {
  for (let at = 1; at <= 7; at++) {
    let steps = 0;
    const stage = new Stage({
      seed: at,
      mgr: {
        before: (step, connection) => {
          if (step === 'report' || ++steps !== at) return;
          connection.close(new FsError('EPIPE', { what: 'cut by the test' }));
          stage.mgr.open(handle(3), mine, 0);
        },
      },
    });
    await stage.asMgr((mgr) => openSome(mgr, 4));
    await stage.untilSynced();
    t.true(stage.mgr.steps.filter((step) => step === 'join').length >= 2, `cut at ${at}`);
    await checkTable(t, stage);
    t.deepEqual(stage.failures, []);
  }
});

for (const point of killPoints.filter((one) => /^iod\.(boot|sync|listen)/.test(one))) {
  test(`killed at ${point}, with or without power, an iod starts anew and serves (SCENARIOS 90)`, async (t) => {
    for (const powerLoss of [false, true]) {
      const stage = new Stage();
      await stage.asMgr((mgr) => openSome(mgr, 2));
      await stage.untilServing();
      // What it knew then it may know still.
      await stage.stopIod();
      await stage.asMgr((mgr) => mgr.open(handle(1), session(9), 1));
      stage.world.killAt(
        { point, process: 'iod', powerLoss, restartAfterMs: 20 },
        { point, process: 'iod', powerLoss, restartAfterMs: 20 },
      );
      stage.iodProcess.restart();
      await stage.untilServing(2);
      t.is(stage.world.kills.struck, 2);
      await stage.untilSynced(2);
      await checkTable(t, stage);
      t.deepEqual(stage.failures, []);
      const incarnations = stage.mgr.joins.map(({ incarnation }) => incarnation);
      t.deepEqual(
        incarnations,
        [...new Set(incarnations)].toSorted((a, b) => a - b),
      );
      const lives = stage.mgr.joins.map((join) => join.lives.map(hex));
      for (const [at, names] of lives.slice(1).entries()) {
        t.true(
          names.includes(lives[at]?.at(-1) ?? ''),
          'it names the life that the mgr has heard of',
        );
      }
    }
  });
}

test('while it syncs again an iod goes on serving with the old table', async (t) => {
  let isHeld = false;
  const gate = new Gate();
  const stage = new Stage({
    mgr: { before: (step) => (isHeld && step === 'confirm' ? gate.wait() : undefined) },
  });
  const [cap] = await stage.asMgr((mgr) => openSome(mgr, 1));
  await stage.untilSynced();
  const client = await stage.connect({ session: 7 });
  await client.call(dataOps.write, { handle: handle(1), offset: 0 }, 'before');
  isHeld = true;
  const joins = stage.mgr.joins.length;
  await stage.asMgr((mgr) => {
    mgr.cut();
  });
  await stage.world.run({ until: () => stage.mgr.steps.at(-1) === 'confirm' });
  t.is(stage.mgr.joins.length, joins + 1);
  t.is(await client.read({ handle: 1, offset: 0, length: 9 }), 'before');
  if (cap) await t.notThrowsAsync(client.once(dataOps.admit, { cap }));
  // What is closed meanwhile is closed here too, before the new table is in place.
  await stage.asMgr((mgr) => mgr.open(handle(1), mine, 0));
  await stage.pass(100);
  await t.throwsAsync(client.once(dataOps.sync, { handle: handle(1) }), { code: 'EAGAIN' });
  isHeld = false;
  gate.open();
  await stage.untilSynced(2);
  await checkTable(t, stage);
});

test('a gap in the stream of changes makes the iod join again (SCENARIOS 153)', async (t) => {
  const stage = new Stage();
  await stage.untilSynced();
  await stage.asMgr((mgr) => {
    mgr.openSilently(handle(1), mine, 3);
    mgr.open(handle(2), mine, 3);
  });
  await stage.untilSynced(2);
  await checkTable(t, stage);
});

test('after a restart of the mgr the iod joins the new one and says what it has seen (SCENARIOS 64)', async (t) => {
  const stage = new Stage({ mgr: { generation: 4 } });
  await stage.asMgr((mgr) => openSome(mgr, 2));
  await stage.untilServing();
  stage.startMgr({ generation: 5 });
  await stage.world.run({ until: () => stage.mgr.generation === 5 });
  await stage.untilSynced();
  t.is(stage.mgr.joins[0]?.generationSeen, 4);
  t.is(stage.mgr.joins[0]?.openSequence, stage.mgr.sequence);
  t.is(stage.serving, 1);
  await checkTable(t, stage);
});

test('a mgr of an earlier generation than the iod has ever seen is refused, also after a restart (SCENARIOS 48, 64, 91)', async (t) => {
  const stage = new Stage({ mgr: { generation: 4 }, iod: { syncTimeoutMs: 1_000 } });
  await stage.untilServing();
  stage.startMgr({ generation: 3 });
  await stage.world.run({ until: () => stage.mgr.generation === 3 });
  stage.iodProcess.restart();
  await stage.pass(20_000);
  t.deepEqual(stage.mgr.addresses, []);
  t.is(await probe(stage), 'ECONNREFUSED ECONNREFUSED');
  t.is(stage.serving, 1);
  stage.startMgr({ generation: 5 });
  await stage.untilServing(2);
});

test('without a mgr an iod serves with no state after the configured wait, and syncs later', async (t) => {
  const stage = new Stage({ withoutMgr: true, iod: { syncTimeoutMs: 10_000 } });
  await stage.pass(9_000);
  t.is(await probe(stage), 'ECONNREFUSED ECONNREFUSED');
  await stage.untilServing();
  const client = await stage.connect({ session: 7 });
  stage.startMgr({ before: () => Promise.reject(new FsError('EAGAIN')) });
  const [cap] = await stage.asMgr((mgr) => openSome(mgr, 1));
  t.truthy(cap);
  if (cap === undefined) return;
  // Neither served nor refused for good: the client asks again until its deadline.
  await t.throwsAsync(client.once(dataOps.admit, { cap }), { code: 'EAGAIN' });
  await t.throwsAsync(client.once(dataOps.read, { handle: handle(1), offset: 0, length: 1 }), {
    code: 'EAGAIN',
  });
  stage.startMgr({ generation: 2 });
  await stage.pass(10_000);
  t.is(stage.mgr.addresses.length, 1);
  t.is(stage.serving, 1);
  await t.notThrowsAsync(client.once(dataOps.admit, { cap }));
  await checkTable(t, stage);
});

test('a slow sync is not given up for want of a mgr', async (t) => {
  const gate = new Gate();
  const stage = new Stage({
    iod: { syncTimeoutMs: 1_000 },
    mgr: { before: (step) => (step === 'snapshot' ? gate.wait() : undefined) },
  });
  await stage.pass(5_000);
  t.is(await probe(stage), 'ECONNREFUSED ECONNREFUSED');
  gate.open();
  await stage.untilServing();
  t.is(stage.mgr.joins.length, 1);
});

function hex(id: Uint8Array): string {
  return Buffer.from(id).toString('hex');
}
