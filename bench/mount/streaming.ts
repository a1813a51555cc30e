/** A large file in order, in calls of 1 MiB: through the mount, by the library, on the local disk. */
import { join } from 'node:path';
import { perSecond } from '../processes.ts';
import type { Row } from '../rows.ts';
import { type Measured, measureBoth, type MountBench } from './mount-bench.ts';

const directions = ['write', 'overwrite', 'read'] as const;
const callBytes = 1024 * 1024;
const GiB = 1024 ** 3;
/** One after another with the library and the disk: the median of each counts. */
const rounds = 3;

export async function measureStreaming(bench: MountBench): Promise<Row[]> {
  // Unmeasured: all code is compiled and all memory touched when the measuring begins.
  for (const direction of directions) await measureOnce(bench, direction);
  const rows: Row[] = [];
  for (const direction of directions) rows.push(...(await measureOne(bench, direction)));
  return rows;
}

async function measureOne(
  bench: MountBench,
  direction: (typeof directions)[number],
): Promise<Row[]> {
  const found: (Measured & { readonly library: number })[] = [];
  for (let round = 0; round < rounds; round++) found.push(await measureOnce(bench, direction));
  const here = median(found.map((one) => one.here));
  const beside = (name: string, rates: readonly number[]): Row => ({
    group: 'streaming through the mount, calls of 1 MiB',
    name: direction,
    value: here / 1e6,
    unit: 'MB/s',
    limit: { name, value: median(rates) / 1e6 },
    cpu: (median(found.map(({ cpuUs }) => cpuUs)) * GiB) / 1e6,
  });
  return [
    beside(
      'the library',
      found.map(({ library }) => library),
    ),
    beside(
      'local disk',
      found.map(({ there }) => there),
    ),
  ];
}

async function measureOnce(bench: MountBench, direction: (typeof directions)[number]) {
  const bytes = bench.sizes.streamBytes;
  const library = await bench.client.perform({
    kind: 'stream',
    path: '/library-stream',
    direction,
    bytes,
    callBytes,
    way: 'calls',
  });
  const measured = await measureBoth(bench, 1, (directory) => {
    return { kind: 'stream', path: join(directory, 'stream'), direction, bytes };
  });
  return { ...measured, library: perSecond(library) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}
