/** A file system, or a limit of the machine, that takes part in the comparison. */
import type { Outcome } from '../tasks.ts';
import type { WorkName } from './works.ts';

export interface System {
  readonly name: string;
  readonly version: string;
  /** How it is set up, in a line. */
  readonly about: string;
  /** Done one set after another, each by all systems in turn. */
  readonly sets: (sizes: Sizes) => Readonly<Partial<Record<SetName, WorkSet>>>;
  /** Those that serve it; of a limit of the machine nobody asks. */
  readonly processes: (() => readonly number[]) | undefined;
}

export const setNames = ['stream', 'files', 'tree'] as const;
export type SetName = (typeof setNames)[number];

export interface WorkSet {
  /** In this order: some work on what earlier work has left. */
  readonly works: readonly (readonly [WorkName, () => Promise<Outcome>])[];
  /** Nothing is left of it afterwards; not measured. */
  readonly tidy: () => Promise<void>;
}

/** How much of everything is done in one round. */
export interface Sizes {
  /** As many as end in the time. */
  readonly rounds: number;
  readonly ms: number;
  readonly streamBytes: number;
  readonly randomMs: number;
  readonly files: number;
}

const MiB = 1024 * 1024;

export const fullSizes: Sizes = {
  rounds: 5,
  ms: 11 * 60_000,
  streamBytes: 1024 * MiB,
  randomMs: 1000,
  files: 2000,
};

export const quickSizes: Sizes = {
  rounds: 3,
  ms: 4 * 60_000,
  streamBytes: 128 * MiB,
  randomMs: 300,
  files: 200,
};
