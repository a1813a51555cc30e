/** A large file in order, in calls of 1 MiB: through the mount, by the library, on the local disk. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { warmMemory } from '../machine.ts';
import { perSecond } from '../processes.ts';
import type { Limit, Row } from '../rows.ts';
import { type Measured, measureAll, type MountBench } from './mount-bench.ts';

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
  const found: Measured[] = [];
  for (let round = 0; round < rounds; round++) found.push(await measureOnce(bench, direction));
  const here = median(found.map((one) => one.here));
  const limits = found.flatMap(({ there }) => there);
  return [...new Set(limits.map(({ name }) => name))].map((name) => ({
    group: 'streaming through the mount, calls of 1 MiB',
    name: direction,
    value: here / 1e6,
    unit: 'MB/s',
    limit: { name, value: median(limits.filter((one) => one.name === name).map(rateOf)) / 1e6 },
    cpu: (median(found.map(({ cpuUs }) => cpuUs)) * GiB) / 1e6,
  }));
}

async function measureOnce(
  bench: MountBench,
  direction: (typeof directions)[number],
): Promise<Measured> {
  const bytes = bench.sizes.streamBytes;
  const warm = (): void => {
    if (direction === 'write') warmMemory(bench.local.directory, bytes);
  };
  warm();
  const library = await bench.client.perform({
    kind: 'stream',
    path: '/library-stream',
    direction,
    bytes,
    callBytes,
    way: 'calls',
  });
  const taskIn = (directory: string) =>
    ({ kind: 'stream', path: fileIn(directory), direction, bytes }) as const;
  const measured = await measureAll(bench, 1, taskIn, (directory) => {
    if (direction === 'write') rmSync(fileIn(directory), { force: true });
    warm();
  });
  const beside: Limit = { name: 'the library', value: perSecond(library) };
  return { ...measured, there: [beside, ...measured.there] };
}

const fileIn = (directory: string): string => join(directory, 'stream');

const rateOf = ({ value }: Limit): number => value;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}
