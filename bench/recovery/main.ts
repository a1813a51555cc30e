/**
 * What a death costs: how soon a daemon serves again, and what those who work meanwhile notice.
 * Each figure stands beside the same with nothing open, or with nothing killed, in the same run;
 * those of the mgr beside the same sessions with nothing open.
 *
 *     npm run bench:recovery -- [--sessions=1000] [--files=100] [--json]
 */
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { builtClient } from '../built.ts';
import { BenchCluster } from '../cluster.ts';
import { asJson, asTable, type Row } from '../rows.ts';
import { RestartableDaemon, type Start } from './daemon.ts';
import { Holder } from './holder.ts';
import type { Beats } from './messages.ts';

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '1000' },
    files: { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
  },
});
const sessions = Number(values.sessions);
const filesEach = Number(values.files);
const opens = sessions * filesEach;
const iods = 4;
const rounds = 3;
const quietMs = 1000;
const outageMs = 1000;

const rows: Row[] = [];
const add = (group: string, name: string, value: number, unit: Row['unit'], limit: Row['limit']) =>
  rows.push({ group, name, value, unit, limit });

const cluster = await BenchCluster.start(iods);
const { connect } = await builtClient();
const operator = await connect(cluster.url).catch(async (error: unknown) => {
  await cluster.stop();
  throw error;
});
const holders: Holder[] = [];
const daemons = cluster.daemons.map((daemon) => new RestartableDaemon(daemon));
const daemon = (name: string): RestartableDaemon => {
  const found = daemons.find((one) => one.name === name);
  if (found === undefined) throw new Error(`the cluster has no ${name}`);
  return found;
};
try {
  const [iod0, iod3, mgr] = [daemon('iod0'), daemon('iod3'), daemon('mgr')];
  const emptyIod = await restarts(iod0, 'SIGKILL');
  const emptyIodClean = await restarts(iod0, 'SIGTERM');
  const emptyIodMemory = iod0.residentMebibytes;

  const [holder, pulse] = [new Holder(), new Holder()];
  holders.push(holder, pulse);
  await holder.ask({ kind: 'hold', url: cluster.url, sessions });
  const emptyMgr = await restarts(mgr, 'SIGKILL');
  const emptyMgrMemory = mgr.residentMebibytes;
  await holder.ask({ kind: 'open', filesEach });
  await pulse.ask({ kind: 'pulse', url: cluster.url, iods });

  const group = `${opens.toLocaleString('en')} files open by ${sessions} sessions`;
  const killed = await restarts(iod0, 'SIGKILL');
  add(group, 'iod killed: exec to serving', killed.ms, 'ms', nothingOpen(emptyIod.ms));
  const stopped = await restarts(iod0, 'SIGTERM');
  add(group, 'iod stopped: exec to serving', stopped.ms, 'ms', {
    name: 'nothing open, and 100 ms',
    value: emptyIodClean.ms + 100,
  });
  const readBytes = (killed.readBytes - emptyIod.readBytes) / opens;
  add(group, 'iod killed: bytes read for each open', readBytes, 'B', { name: 'bound', value: 64 });
  add(group, 'iod: memory', iod0.residentMebibytes, 'MiB', nothingOpen(emptyIodMemory));
  const mgrKilled = await mgr.end('SIGKILL').then(() => mgr.start());
  add(group, 'mgr killed: exec to serving', mgrKilled.ms, 'ms', nothingOpen(emptyMgr.ms));
  add(group, 'mgr: all sessions back after', (await untilActive()) - mgrKilled.readyAt, 'ms', {
    name: 'bound',
    value: 2000,
  });
  add(group, 'mgr: memory', mgr.residentMebibytes, 'MiB', nothingOpen(emptyMgrMemory));

  await whatClientsNotice(pulse, iod0);
  await outage(pulse, mgr);
  await silence(iod3);
} finally {
  await Promise.allSettled([operator.close(), ...holders.map((holder) => holder.end())]);
  await cluster.stop();
}
console.log(values.json ? asJson(rows, {}) : asTable(rows));

function nothingOpen(value: number): Row['limit'] {
  return { name: 'nothing open', value };
}

/** @returns the median of some restarts */
async function restarts(target: RestartableDaemon, how: 'SIGKILL' | 'SIGTERM'): Promise<Start> {
  const starts: Start[] = [];
  for (let round = 0; round < rounds; round++) {
    await target.end(how);
    starts.push(await target.start());
    await untilActive();
  }
  const [median] = starts.toSorted((a, b) => a.ms - b.ms).slice(rounds >> 1);
  if (median === undefined) throw new Error('no rounds');
  return median;
}

/** @returns when all iods served and all sessions were back, milliseconds of the epoch */
async function untilActive(): Promise<number> {
  for (;;) {
    const { state, members } = await operator.status();
    const all = members.every((member) => member.state === 'serving');
    if (state === 'ACTIVE' && all) return performance.timeOrigin + performance.now();
    await setTimeout(5);
  }
}

/** An iod is killed and comes back: what those notice who work on it, and those who do not. */
async function whatClientsNotice(pulse: Holder, iod: RestartableDaemon): Promise<void> {
  const group = 'readers and writers while iod0 is killed and comes back';
  const before = await beatsDuring(pulse, () => setTimeout(quietMs));
  let readyAt = 0;
  const during = await beatsDuring(pulse, async () => {
    await iod.end('SIGKILL');
    ({ readyAt } = await iod.start());
    await setTimeout(quietMs);
  });
  const resumed = Math.max(...during.filter(itsOwn).map((one) => one.longestEnded)) - readyAt;
  const longest = (beats: readonly Beats[]): number =>
    Math.max(...beats.filter((one) => !itsOwn(one)).map((one) => one.longestMs));
  add(group, 'on it: go on after its port is open', resumed, 'ms', { name: 'bound', value: 250 });
  const quiet = { name: 'nothing killed', value: longest(before) };
  add(group, 'on others: longest pause', longest(during), 'ms', quiet);
}

/** The mgr is away: reads and writes of open files need it not. */
async function outage(pulse: Holder, mgr: RestartableDaemon): Promise<void> {
  const before = callsPerSecond(await beatsDuring(pulse, () => setTimeout(outageMs)));
  await mgr.end('SIGKILL');
  const during = callsPerSecond(await beatsDuring(pulse, () => setTimeout(outageMs)));
  await mgr.start();
  await untilActive();
  const limit = { name: 'mgr running', value: before };
  add('running I/O', 'reads and writes while the mgr is away', during, '/s', limit);
}

/** An iod falls silent without a word: its host is gone, or it hangs. */
async function silence(iod: RestartableDaemon): Promise<void> {
  iod.signal('SIGSTOP');
  try {
    const begun = performance.now();
    const named = new RegExp(`^.*${iod.name}.*silent for`, 'm');
    while (!named.test(await cluster.weft('status'))) await setTimeout(5);
    const ms = performance.now() - begun;
    add('an iod is silently gone', 'weft status names it after', ms, 'ms', {
      name: 'bound',
      value: 5000,
    });
  } finally {
    iod.signal('SIGCONT');
  }
}

function itsOwn({ iod }: Beats): boolean {
  return iod === 0;
}

function callsPerSecond(beats: readonly Beats[]): number {
  return (beats.reduce((sum, { calls }) => sum + calls, 0) * 1000) / outageMs;
}

async function beatsDuring(pulse: Holder, act: () => Promise<unknown>): Promise<readonly Beats[]> {
  await pulse.ask({ kind: 'beats' });
  await act();
  return pulse.ask({ kind: 'beats' });
}
