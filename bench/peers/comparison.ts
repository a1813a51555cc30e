/** Every system does the same work in turn, in several rounds, and who begins changes. */
import { setTimeout } from 'node:timers/promises';
import { cpuUsOf, perSecond, residentMebibytes, sum } from '../processes.ts';
import type { Run, Skip } from './report.ts';
import { quickSizes, type SetName, setNames, type Sizes, type System } from './system.ts';
import { works } from './works.ts';

export interface Comparison {
  /** That were counted. */
  readonly rounds: number;
  readonly runs: readonly Run[];
  /** Systems that failed in the middle; what they did before counts. */
  readonly failed: readonly Skip[];
}

export interface Watch {
  readonly signal: AbortSignal;
  /** How far it is. */
  readonly tell: (line: string) => void;
  /** Before a new file of so many bytes is written: memory for it is as everybody else finds it. */
  readonly warm: (bytes: number) => void;
}

/** @throws when it is cut off */
export async function compare(
  systems: readonly System[],
  sizes: Sizes,
  { signal, tell, warm }: Watch,
): Promise<Comparison> {
  const runs: Run[] = [];
  const failed = new Map<System, Skip>();
  // The first one is not counted: all code is compiled and all memory touched afterwards.
  let round = 0;
  const begun = performance.now();
  for (let longestMs = 0; round <= sizes.rounds; round++) {
    const roundBegun = performance.now();
    if (round > 1 && roundBegun - begun + longestMs > sizes.ms) break;
    for (const set of setNames) {
      for (const system of rotated(systems, round)) {
        signal.throwIfAborted();
        if (failed.has(system)) continue;
        try {
          const now = round === 0 ? quickSizes : sizes;
          if (set === 'stream') warm(now.streamBytes);
          const found = await perform(system, set, now);
          if (round > 0) runs.push(...found);
        } catch (error: unknown) {
          failed.set(system, { name: system.name, reason: `failed in its work: ${String(error)}` });
        }
      }
    }
    longestMs = Math.max(longestMs, performance.now() - roundBegun);
    tell(round === 0 ? 'all are warm' : `round ${round} of ${sizes.rounds} is done`);
  }
  return { rounds: round - 1, runs, failed: [...failed.values()] };
}

function rotated<T>(all: readonly T[], by: number): readonly T[] {
  const at = by % all.length;
  return [...all.slice(at), ...all.slice(0, at)];
}

async function perform(system: System, set: SetName, sizes: Sizes): Promise<Run[]> {
  const workSet = system.sets(sizes)[set];
  if (workSet === undefined) return [];
  const runs: Run[] = [];
  try {
    for (const [work, run] of workSet.works) {
      const cpuBefore = await atRest(system);
      const outcome = await run();
      const cpuUs = outcome.cpuUs + (await atRest(system)) - cpuBefore;
      const value = perSecond(outcome) / (unitOf.get(work) === 'MB/s' ? 1e6 : 1);
      const { done } = outcome;
      const resident = sum(pidsOf(system).map((pid) => residentMebibytes(pid, 'now')));
      const costs = system.processes && { cpuUs, residentMebibytes: resident };
      runs.push({ system: system.name, work, value, done, ...costs });
    }
  } finally {
    await workSet.tidy();
    await atRest(system);
  }
  return [...runs, ...cycleOf(runs)];
}

const unitOf = new Map(works.map(({ name, unit }) => [name, unit]));

/** Of each file all that was done to it. */
function cycleOf(runs: readonly Run[]): Run[] {
  const parts = runs.filter(({ work }) => ['create', 'stat', 'unlink'].includes(work));
  const [first] = parts;
  if (first === undefined) return [];
  const seconds = sum(parts.map(({ done, value }) => done / value));
  const cpuUs = first.cpuUs && sum(parts.map((part) => part.cpuUs ?? NaN));
  return [{ ...first, work: 'cycle', value: first.done / seconds, cpuUs }];
}

const lookMs = 50;
const looksMax = 40;
const busyUs = 10_000;

/** What is done behind an answer belongs to the work. @returns its processor time until now */
async function atRest(system: System): Promise<number> {
  let before = cpuOf(system);
  if (system.processes === undefined) return before;
  for (let looks = 0; looks < looksMax; looks++) {
    await setTimeout(lookMs);
    const now = cpuOf(system);
    if (now - before <= busyUs) return now;
    before = now;
  }
  return before;
}

function cpuOf(system: System): number {
  return sum(pidsOf(system).map(cpuUsOf));
}

function pidsOf({ processes }: System): readonly number[] {
  return processes?.() ?? [];
}
