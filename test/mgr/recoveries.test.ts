/** What the mgr tells of its own starts, of lost sessions, and of iods that were away. */
import test from 'ava';
import { Recoveries } from '../../mgr/recoveries.ts';
import { tokenKey } from '../../shared/auth.ts';
import { limits } from '../../shared/limits.ts';
import { beginNow } from '../../shared/recovery.ts';
import { RecoveryLog } from '../../shared/recovery-log.ts';
import { decodeRecovery, type RecoveryReport } from '../../shared/recovery-report.ts';
import { clusterOps } from '../../shared/wire/cluster-ops.ts';
import type { MemberState } from '../../shared/wire/values.ts';
import { World } from '../sim/runtime/world.ts';
import { type MgrClient, MgrWorld } from './mgr-world.ts';

const latest = { iod: undefined, before: Number.MAX_SAFE_INTEGER };

async function reportsOf(world: MgrWorld, client: MgrClient): Promise<RecoveryReport[]> {
  const { reports } = await world.complete(client.call(clusterOps.recoveries, latest));
  return reports.map(decodeRecovery);
}

async function recoveryOf(world: MgrWorld, client: MgrClient) {
  return (await world.complete(client.call(clusterOps.status, {}))).recovery;
}

test('a first start has nobody to wait for', async (t) => {
  const world = new MgrWorld(1);
  const client = await world.client();
  const [start] = await reportsOf(world, client);
  t.like(start, { daemon: 'mgr', cause: 'first-start', outcome: 'recovered', restored: [] });
  t.is(await recoveryOf(world, client), undefined);
});

test('after a crash status says who is missing and for how long; the report who came back', async (t) => {
  const world = new MgrWorld(2);
  const [back, gone] = [await world.client(), await world.client()];
  await world.complete(back.create('/f'));
  await world.complete(gone.create('/g'));
  await world.complete(gone.create('/h'));
  gone.process.kill();
  world.process.restart();
  await world.complete(back.ready());
  const state = await recoveryOf(world, back);
  t.like(state, { cause: 'crash', phase: 'reclaim', done: 1, total: 2, missingTotal: 1 });
  t.deepEqual(state?.missing, [`test (session ${gone.id})`]);
  const leftMs = state?.leftMs ?? 0;
  t.true(leftMs > limits.reclaimWindowMs - 15_000 && leftMs <= limits.reclaimWindowMs);
  t.deepEqual(await reportsOf(world, back), [], 'it is not over');

  const release = world.iods.hold();
  await world.pass(limits.reclaimWindowMs);
  t.like(await recoveryOf(world, back), { phase: 'clean-up', done: 0, total: 1 });
  release();
  await world.pass(5_000);
  t.is(await recoveryOf(world, back), undefined);
  const reports = await reportsOf(world, back);
  t.is(reports.length, 1, 'those who did not come back are part of it');
  const [start] = reports;
  t.like(start, { cause: 'crash', outcome: 'recovered' });
  t.deepEqual(
    start?.phases.map(({ name }) => name),
    ['load', 'listen', 'reclaim', 'clean-up'],
  );
  const whose = [`test (session ${gone.id})`];
  t.deepEqual(start?.restored, [
    { what: 'sessions', count: 1, for: [`test (session ${back.id})`] },
    { what: 'opens', count: 1, for: [] },
  ]);
  t.deepEqual(start?.dropped, [
    { what: 'sessions', count: 1, for: whose },
    { what: 'opens', count: 2, for: whose },
  ]);
  t.deepEqual(start?.uncertain, [{ what: 'files being written', count: 2, for: whose }]);
});

test('clients that are lost together are one recovery', async (t) => {
  const world = new MgrWorld(3);
  const [one, other, stays] = [await world.client(), await world.client(), await world.client()];
  await world.complete(one.create('/f'));
  await world.complete(other.create('/g'));
  const release = world.iods.hold();
  for (const client of [one, other]) client.process.kill();
  await world.pass(limits.heartbeatSilenceMs + limits.sessionLeaseMs + 5_000);
  t.like(await recoveryOf(world, stays), { cause: 'sessions-lost', total: 2, done: 0 });
  release();
  await world.pass(5_000);
  const [lost, start] = await reportsOf(world, stays);
  t.is(start?.cause, 'first-start');
  t.like(lost, { cause: 'sessions-lost', outcome: 'recovered', number: 2 });
  t.deepEqual(
    lost?.dropped.map(({ what, count }) => [what, count]),
    [
      ['sessions', 2],
      ['opens', 2],
    ],
  );
});

test('reports are for those who have the key of the cluster', async (t) => {
  const world = new MgrWorld(4);
  const credential = { kind: 'token', name: '1', key: tokenKey(world.secret, '1') } as const;
  const stranger = await world.client({ credential });
  await t.throwsAsync(world.complete(stranger.call(clusterOps.recoveries, latest)), {
    message: /EACCES/,
  });
});

/** Recoveries of iods alone, in a world whose time a test moves. */
async function iodsOf(moves: readonly MemberState[]): Promise<RecoveryReport[]> {
  const world = new World({ seed: 1, logLevel: 'none' });
  const process = world.process('mgr', { host: world.host('m'), main: () => undefined });
  return world.complete(
    process.call(({ clock, disk, log: lines }) => {
      const log = new RecoveryLog({ disk, log: lines }, undefined);
      const recoveries = new Recoveries({
        clock,
        log,
        cause: 'first-start',
        begin: beginNow(clock),
        openTable: { countOf: () => 0, filesOf: () => [], isWriter: () => false },
        sessions: { missing: new Set(), reclaimLeftMs: 0 },
      });
      for (const state of moves) recoveries.moved('iod3', state);
      return log.page(Number.MAX_SAFE_INTEGER).reports.map(decodeRecovery);
    }),
  );
}

test('an iod that was away is reported when it is back; one that starts for the first time is not', async (t) => {
  t.deepEqual(await iodsOf(['syncing', 'serving', 'absent', 'absent', 'syncing']), []);
  const [lost] = await iodsOf([
    'syncing',
    'serving',
    'absent',
    'syncing',
    'absent',
    'syncing',
    'serving',
  ]);
  t.like(lost, { cause: 'iod-lost', why: 'iod3 was lost', outcome: 'recovered' });
  t.deepEqual(
    lost?.phases.map(({ name, times }) => [name, times]),
    [
      ['absent', 2],
      ['syncing', 2],
    ],
  );
  const [stopped] = await iodsOf([
    'syncing',
    'serving',
    'draining',
    'absent',
    'syncing',
    'serving',
  ]);
  t.is(stopped?.why, 'iod3 was stopped in order');
  const [evicted] = await iodsOf(['syncing', 'serving', 'absent', 'evicted', 'absent']);
  t.is(evicted?.outcome, 'interrupted');
});
