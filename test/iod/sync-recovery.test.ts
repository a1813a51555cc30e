/** What an iod tells of its recoveries: of each start, and of each loss of the mgr (MISSION X3). */
import test from 'ava';
import { FsError } from '../../shared/errno.ts';
import { decodeRecovery, type RecoveryReport } from '../../shared/recovery-report.ts';
import type { Handle, SessionId } from '../../shared/units.ts';
import { controlOps, dataOps } from '../../shared/wire/iod-ops.ts';
import { servingStage, Stage } from './stage.ts';

const file = 1 as Handle;
const session = 7 as SessionId;

/** As the mgr is told, the latest first. */
async function reportsOf(stage: Stage): Promise<RecoveryReport[]> {
  const { reports } = await stage.asMgr((mgr) =>
    mgr.ask(controlOps.ownRecoveries, { before: Number.MAX_SAFE_INTEGER }),
  );
  return reports.map(decodeRecovery);
}

/** The latest one. */
async function lastOf(stage: Stage): Promise<RecoveryReport | undefined> {
  return (await reportsOf(stage))[0];
}

const namesOf = (report: RecoveryReport | undefined) => report?.phases.map(({ name }) => name);
const wholeSync = ['join', 'snapshot', 'confirm', 'announce'];

test('a start leaves one report: why, its phases, and how many opens came back', async (t) => {
  const { stage } = await servingStage();
  const reports = await reportsOf(stage);
  t.is(reports.length, 1);
  const [first] = reports;
  t.like(first, { daemon: 'iod3', cause: 'first-start', outcome: 'recovered', number: 1 });
  t.deepEqual(namesOf(first), ['boot', 'connect', ...wholeSync]);
  t.deepEqual(first?.restored, [{ what: 'opens', count: 1, for: [] }]);
  t.deepEqual([first?.dropped, first?.uncertain, first?.restarts], [[], [], []]);
  const total = first?.phases.reduce((sum, { tookMs }) => sum + tookMs, 0) ?? 0;
  t.true(Math.abs(total - (first?.tookMs ?? 0)) < 1);
  t.true((first?.tookMs ?? 0) > 0);
});

test('a death, a stop in order and a loss of power are told from each other', async (t) => {
  const { stage } = await servingStage();
  // A report is written behind the recovery.
  await stage.pass(100);
  stage.iodProcess.restart();
  await stage.untilServing(2);
  t.like(await lastOf(stage), { cause: 'crash', uncertain: [] });
  await stage.stopIod();
  stage.iodProcess.restart();
  await stage.untilServing(3);
  t.like(await lastOf(stage), { cause: 'clean-restart', uncertain: [] });
  await stage.pass(100);
  stage.iodProcess.host.powerLoss();
  stage.iodProcess.host.powerOn();
  stage.iodProcess.start();
  await stage.untilServing(4);
  t.like(await lastOf(stage), {
    number: 4,
    cause: 'host-restart',
    uncertain: [{ what: 'writes without sync', count: null, for: [] }],
  });
});

test('a loss of the mgr is one recovery, with what was closed meanwhile', async (t) => {
  const { stage, client } = await servingStage();
  await stage.asMgr((mgr) => mgr.openSilently(file, session, 0));
  stage.mgrProcess.kill();
  await stage.pass(3_000);
  const { recovery } = await client.once(dataOps.iodStatus, {});
  t.like(recovery, { cause: 'mgr-lost', phase: 'connect', missing: ['mgr'], missingTotal: 1 });
  t.true((recovery?.leftMs ?? 0) > 0 && (recovery?.leftMs ?? 0) < 30_000);
  stage.mgrProcess.start();
  stage.startMgr();
  await stage.pass(5_000);
  const [last, first] = await reportsOf(stage);
  t.is(first?.cause, 'first-start');
  t.like(last, { cause: 'mgr-lost', outcome: 'recovered', restarts: [] });
  t.deepEqual(namesOf(last), ['connect', ...wholeSync]);
  t.deepEqual(last?.restored, [{ what: 'opens', count: 0, for: [] }]);
  t.deepEqual(last?.dropped, [{ what: 'opens', count: 1, for: ['session 7'] }]);
  t.is((await client.call(dataOps.iodStatus, {})).recovery, undefined);
});

test('a sync that begins again is still one recovery, which says why and how often', async (t) => {
  let failures = 0;
  const stage = new Stage({
    mgr: {
      before: (step) => {
        if (step === 'confirm' && failures++ < 3) {
          throw new FsError('EAGAIN', {
            id: 'WEFT_E_CONFIG_CHANGE',
            what: 'the membership has changed: the sync begins again',
          });
        }
      },
    },
  });
  await stage.untilServing();
  const reports = await reportsOf(stage);
  t.is(reports.length, 1);
  t.deepEqual(reports[0]?.restarts, [
    { why: 'the membership has changed: the sync begins again', times: 3 },
  ]);
  t.is(reports[0]?.phases.find(({ name }) => name === 'snapshot')?.times, 4);
});

test('an iod that serves without a mgr says that it knows nothing, then that it found one', async (t) => {
  const stage = new Stage({ withoutMgr: true, iod: { syncTimeoutMs: 1_000 } });
  await stage.untilServing();
  stage.startMgr();
  await stage.untilSynced();
  const [last, first] = await reportsOf(stage);
  t.like(first, { cause: 'first-start', outcome: 'provisional' });
  t.deepEqual(first?.uncertain, [{ what: 'opens', count: null, for: [] }]);
  t.like(last, { cause: 'mgr-found', outcome: 'recovered' });
  t.deepEqual(namesOf(last), wholeSync);
});

test('an iod that is stopped before its recovery is over says so', async (t) => {
  const stage = new Stage({ withoutMgr: true });
  await stage.pass(500);
  await stage.stopIod();
  stage.startMgr();
  stage.iodProcess.restart();
  await stage.untilServing();
  const [last, first] = await reportsOf(stage);
  t.like(first, { cause: 'first-start', outcome: 'interrupted' });
  t.like(last, { cause: 'clean-restart', outcome: 'recovered' });
});

test('a disk that takes no report does not hinder a recovery', async (t) => {
  const stage = new Stage();
  stage.iodProcess.host.disk.fail({ path: 'recoveries', errno: 'ENOSPC', times: 1_000 });
  await stage.untilServing();
  t.is((await reportsOf(stage)).length, 1);
  t.deepEqual(stage.failures, []);
});
