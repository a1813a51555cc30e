/** What is profiled: the calls whose rates are promised, each until there are enough samples. */
import type { Task } from '../tasks.ts';

export interface Headline {
  readonly name: string;
  /** Of what processor time is told: a call, or a GiB. */
  readonly per: 'call' | 'GiB';
  /** Made before, and not measured. */
  readonly before: readonly Task[];
  readonly task: Task;
  readonly times: number;
}

const MiB = 1024 * 1024;

const path = '/bytes';
const fileBytes = 256 * MiB;
const fill = {
  kind: 'stream',
  path,
  direction: 'write',
  bytes: fileBytes,
  callBytes: MiB,
  way: 'calls',
} as const;

/**
 * @param scale how much of everything is done: 1 is a few seconds for each
 * @param directory of the files that are made: a new one
 */
export function headlines(scale: number, directory: string): readonly Headline[] {
  return [
    ...onNames(60_000 * scale, directory),
    ...onBlocks(4000 * scale),
    ...onStreams(16 * scale),
  ];
}

/** As many as the mgr keeps in memory. */
const knownFiles = 10_000;

function onNames(count: number, directory: string): Headline[] {
  const task = { kind: 'names', call: 'create', directory, depth: 128, count, rounds: 1 } as const;
  const warm: Task = { kind: 'tree', directory: `${directory}-warm`, files: 5000 };
  const empty: Task = { kind: 'tree', directory, files: 0 };
  const one: Task = { ...task, directory: `${directory}-one`, depth: 1, count: count / 15 };
  const stat: Task = { ...task, call: 'stat', count: Math.min(count, knownFiles), rounds: 30 };
  const common = { per: 'call', times: 1 } as const;
  return [
    {
      ...common,
      name: 'create, 1 at once',
      before: [warm, { ...empty, directory: `${directory}-one` }],
      task: one,
    },
    { ...common, name: 'create, 128 at once', before: [empty], task },
    { ...common, name: 'stat, 128 at once', before: [{ ...stat, rounds: 1 }], task: stat },
  ];
}

function onBlocks(ms: number): Headline[] {
  return ([1, 128] as const).flatMap((depth) =>
    (['read', 'write'] as const).map((direction): Headline => {
      const task: Task = { kind: 'random', path, direction, fileBytes, depth, ms };
      const warm: Task = { ...task, ms: ms / 4 };
      const name = `4 KiB ${direction}, ${depth} at once`;
      return { name, per: 'call', before: [fill, warm], task, times: 1 };
    }),
  );
}

function onStreams(times: number): Headline[] {
  return (['read', 'overwrite'] as const).map((direction): Headline => {
    const task: Task = { ...fill, direction };
    const name = `${direction}, calls of 1 MiB`;
    return { name, per: 'GiB', before: [fill, task], task, times };
  });
}
