/** Seeds that have failed once, with what else the run needs: every run of the tests does them. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { FaultKind } from './faults.ts';
import { projectPath } from '../../scripts/project.ts';

export interface SeedRun {
  readonly seed: number;
  readonly steps: number;
  readonly iods: number;
  readonly clients: number;
  readonly faults: readonly FaultKind[];
  /** Bytes that a file may have at the mgr: 0 when not given. */
  readonly smallFileBytes?: number;
}

/** What every run of the seed has if it is not said. */
export function smallFileBytesOf(seed: number): number {
  return [0, 64, 500, 2000, 4096][seed % 5] ?? 0;
}

const file = projectPath('test/sim/failed-seeds.jsonl');

export function failedSeeds(): readonly SeedRun[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as SeedRun);
}

/** Adds those that are not there yet. */
export function keepFailedSeeds(runs: readonly SeedRun[]): void {
  const lines = new Set([...failedSeeds(), ...runs].map((run) => JSON.stringify(run)));
  writeFileSync(file, [...lines].map((line) => `${line}\n`).join(''));
}
