import * as fsp from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { UnnumberedReport } from '../../shared/recovery.ts';
import { RecoveryLog } from '../../shared/recovery-log.ts';
import { decodeRecovery } from '../../shared/recovery-report.ts';
import { makeNodeRuntime } from '../../shared/runtime/node.ts';
import type { Disk } from '../../shared/runtime/runtime.ts';

const runtime = makeNodeRuntime({ log: 'silent' });

async function temporaryDirectory(t: ExecutionContext): Promise<string> {
  const path = await fsp.mkdtemp(join(tmpdir(), 'weft-recoveries-'));
  t.teardown(() => fsp.rm(path, { recursive: true, force: true }));
  return path;
}

async function openLog(path: string | undefined, disk: Partial<Disk> = {}): Promise<RecoveryLog> {
  const log = new RecoveryLog({ ...runtime, disk: { ...runtime.disk, ...disk } }, path);
  await log.open();
  return log;
}

const report = (why: string): UnnumberedReport => ({
  daemon: 'iod2',
  cause: 'crash',
  why,
  outcome: 'recovered',
  startedAt: { seconds: 77, nanoseconds: 8 },
  tookMs: 9.3,
  phases: [],
  restarts: [],
  restored: [],
  dropped: [],
  uncertain: [],
});

/** All that it has, the latest first, page by page. */
function listOf(log: RecoveryLog): string[] {
  const all: string[] = [];
  let before = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const { reports, done } = log.page(before);
    const page = reports.map(decodeRecovery);
    all.push(...page.map(({ number, why }) => `${number} ${why}`));
    before = page.at(-1)?.number ?? 0;
    if (done) return all;
  }
}

test('reports outlive the process, each a file of its own, and the numbers go on', async (t) => {
  const path = await temporaryDirectory(t);
  const first = await openLog(path);
  t.deepEqual(await fsp.readdir(path), [], 'nothing is made for nothing');
  first.add(report('a'));
  first.add(report('b'));
  await first.settled();
  t.deepEqual((await fsp.readdir(join(path, 'recoveries'))).toSorted(), ['1.json', '2.json']);
  const second = await openLog(path);
  second.add(report('c'));
  t.deepEqual(listOf(second), ['3 c', '2 b', '1 a']);
  await second.settled();
  t.deepEqual(listOf(await openLog(path)), ['3 c', '2 b', '1 a']);
});

test('a bounded number is kept, the oldest goes first, and pages are bounded', async (t) => {
  const path = await temporaryDirectory(t);
  const log = await openLog(path);
  const total = limits.recoveriesKept + 5;
  for (let at = 1; at <= total; at++) log.add(report(`r${at}`));
  await log.settled();
  const names = await fsp.readdir(join(path, 'recoveries'));
  t.is(names.length, limits.recoveriesKept);
  t.false(names.includes('5.json'));
  t.is(log.page(Number.MAX_SAFE_INTEGER).reports.length, limits.recoveriesPerPage);
  const all = listOf(log);
  t.is(all.length, limits.recoveriesKept);
  t.is(all[0], `${total} r${total}`);
  t.is(all.at(-1), '6 r6');
});

test('what cannot be written is still told, and hinders nothing', async (t) => {
  const path = await temporaryDirectory(t);
  const log = await openLog(path, {
    rename: () => Promise.reject(new FsError('ENOSPC', { what: 'no space' })),
  });
  log.add(report('a'));
  await t.notThrowsAsync(log.settled());
  t.deepEqual(listOf(log), ['1 a']);
});

test('what is damaged or foreign is passed over', async (t) => {
  const path = await temporaryDirectory(t);
  const log = await openLog(path);
  for (const why of ['a', 'b', 'c']) log.add(report(why));
  await log.settled();
  await fsp.writeFile(join(path, 'recoveries', '2.json'), '{"schema": 1');
  await fsp.writeFile(join(path, 'recoveries', 'notes.txt'), 'mine');
  const later = await openLog(path);
  t.deepEqual(listOf(later), ['3 c', '1 a']);
  later.add(report('d'));
  t.deepEqual(listOf(later), ['4 d', '3 c', '1 a']);
  await later.settled();
});

test('without a directory the reports last as long as the process', async (t) => {
  const log = await openLog(undefined);
  log.add(report('a'));
  await log.settled();
  t.deepEqual(listOf(log), ['1 a']);
});
