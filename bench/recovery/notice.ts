/** What clients notice of deaths: pauses of those who read and write, and what an operator is told. */
import { setTimeout } from 'node:timers/promises';
import { median } from '../peers/statistics.ts';
import type { Row } from '../rows.ts';
import { bound, Figures } from './figures.ts';
import type { Holder } from './holder.ts';
import type { KillableCluster } from './killable-cluster.ts';
import type { Beats, Direction } from './messages.ts';

const rounds = 3;
const quietMs = 1000;
const outages = 7;
const outageMs = 1500;
/** Who calls without a break notices of a start what it takes of the processors, too. */
const paceMs = 2;

/** An iod is killed and comes back: what those notice who work on it, and those who do not. */
export async function pauses(cluster: KillableCluster, iods: number, rows: Row[]): Promise<void> {
  const figures = new Figures('readers and writers while iod0 is killed and comes back', rows);
  const pulse = cluster.holder();
  const directions = ['read', 'write'] as const;
  await pulse.ask({ kind: 'pulse', url: cluster.url, iods, everyMs: paceMs, directions });
  const [resumed, killed, quiet]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < rounds; round++) {
    // A program that starts is what others notice most, here where all have the same processors.
    const before = await beatsDuring(pulse, async () => {
      await cluster.weft('version');
      await setTimeout(quietMs);
    });
    quiet.push(longest(before.filter((one) => !itsOwn(one))));
    let readyAt = 0;
    const during = await beatsDuring(pulse, async () => {
      const iod = cluster.daemon('iod0');
      await iod.end('SIGKILL');
      ({ readyAt } = await iod.start());
      await setTimeout(quietMs);
    });
    resumed.push(Math.max(...during.filter(itsOwn).map((one) => one.longestEnded)) - readyAt);
    killed.push(longest(during.filter((one) => !itsOwn(one))));
  }
  await pulse.end();
  figures.add('on it: go on after its port is open', median(resumed), 'ms', bound(250));
  figures.add('on others: longest pause', median(killed), 'ms', bound(20));
  const name = 'on others: the same, any program started';
  figures.add(name, median(quiet), 'ms', bound(20));
}

function longest(beats: readonly Beats[]): number {
  return Math.max(...beats.map(({ longestMs }) => longestMs));
}

/** The mgr is away: reads and writes of open files need it not. */
export async function outage(cluster: KillableCluster, iods: number, rows: Row[]): Promise<void> {
  const figures = new Figures('running I/O while the mgr is away', rows);
  // Each alone: beside each other, what one of them gets of the processors moves from second to
  // second by more than an outage could.
  for (const direction of ['read', 'write'] as const) {
    const [running, away] = await callsAroundOutages(cluster, iods, direction);
    figures.add(`${direction}s`, away, '/s', { name: 'mgr running', value: running });
  }
}

/** @returns calls a second while the mgr runs, and while it is away: in turns, the median of each */
async function callsAroundOutages(
  cluster: KillableCluster,
  iods: number,
  direction: Direction,
): Promise<readonly [running: number, away: number]> {
  const mgr = cluster.daemon('mgr');
  const pulse = cluster.holder();
  await pulse.ask({ kind: 'pulse', url: cluster.url, iods, everyMs: 0, directions: [direction] });
  const [running, away]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < outages; turn++) {
    await setTimeout(quietMs);
    running.push(await callsPerSecond(pulse));
    await mgr.end('SIGKILL');
    away.push(await callsPerSecond(pulse));
    await mgr.start();
    await cluster.untilActive();
  }
  await pulse.end();
  return [median(running), median(away)];
}

/** An iod falls silent without a word: its host is gone, or it hangs. */
export async function silence(cluster: KillableCluster, rows: Row[]): Promise<void> {
  const iod = cluster.daemon('iod3');
  iod.signal('SIGSTOP');
  try {
    const begun = performance.now();
    const named = new RegExp(`^.*${iod.name}.*silent for`, 'm');
    while (!named.test(await cluster.weft('status'))) await setTimeout(5);
    const ms = performance.now() - begun;
    const figures = new Figures('an iod is silently gone', rows);
    figures.add('weft status names it after', ms, 'ms', bound(5000));
  } finally {
    iod.signal('SIGCONT');
  }
}

function itsOwn({ iod }: Beats): boolean {
  return iod === 0;
}

async function callsPerSecond(pulse: Holder): Promise<number> {
  const beats = await beatsDuring(pulse, () => setTimeout(outageMs));
  return (beats.reduce((sum, { calls }) => sum + calls, 0) * 1000) / outageMs;
}

async function beatsDuring(pulse: Holder, act: () => Promise<unknown>): Promise<readonly Beats[]> {
  await pulse.ask({ kind: 'beats' });
  await act();
  return pulse.ask({ kind: 'beats' });
}
