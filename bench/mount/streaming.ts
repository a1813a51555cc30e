/** A large file in order, in calls of 1 MiB: through the mount, by the library, on the local disk. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { warmMemory } from '../machine.ts';
import { performAll, perSecond } from '../processes.ts';
import type { Limit, Row } from '../rows.ts';
import { type Measured, measureAll, type MountBench, withCpu } from './mount-bench.ts';

const directions = ['write', 'overwrite', 'read'] as const;
type Direction = (typeof directions)[number];
const callBytes = 1024 * 1024;
const GiB = 1024 ** 3;
/** One after another with the library and the disk: the median of each counts. */
const rounds = 3;
/** Passes without one that was faster than all before it by this, and all is as warm as it gets. */
const settledPasses = 4;
const faster = 1.05;
const group = 'streaming through the mount, calls of 1 MiB';

/** What daemons and mount do at first, and what they do once all their code is compiled. */
export async function measureStreaming(bench: MountBench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const direction of directions) rows.push(await warmUp(bench, direction));
  for (const direction of directions) rows.push(...(await measureOne(bench, direction)));
  return rows;
}

/** @returns the first pass */
async function warmUp(bench: MountBench, direction: Direction): Promise<Row> {
  const library: Limit = {
    name: 'the library',
    value: (await libraryRate(bench, direction)) / 1e6,
  };
  const first = await pass(bench, direction);
  let best = first.rate;
  for (let since = 0; since < settledPasses; since++) {
    await libraryRate(bench, direction);
    const { rate } = await pass(bench, direction);
    if (rate > best * faster) since = -1;
    best = Math.max(best, rate);
  }
  return { ...rowOf(`${direction}, at first`, first.rate, first.cpuUs), limit: library };
}

async function measureOne(bench: MountBench, direction: Direction): Promise<Row[]> {
  const found: Measured[] = [];
  for (let round = 0; round < rounds; round++) found.push(await measureOnce(bench, direction));
  const here = median(found.map((one) => one.here));
  const cpuUs = median(found.map((one) => one.cpuUs));
  const limits = found.flatMap(({ there }) => there);
  return [...new Set(limits.map(({ name }) => name))].map((name) => ({
    ...rowOf(direction, here, cpuUs),
    limit: { name, value: median(limits.filter((one) => one.name === name).map(rateOf)) / 1e6 },
  }));
}

function rowOf(name: string, rate: number, cpuUs: number): Omit<Row, 'limit'> {
  return { group, name, value: rate / 1e6, unit: 'MB/s', cpu: (cpuUs * GiB) / 1e6 };
}

async function measureOnce(bench: MountBench, direction: Direction): Promise<Measured> {
  const beside: Limit = { name: 'the library', value: await libraryRate(bench, direction) };
  const taskIn = (directory: string) => taskOf(bench, direction, directory);
  const measured = await measureAll(bench, 1, taskIn, (directory) => {
    prepare(bench, direction, directory);
  });
  return { ...measured, there: [beside, ...measured.there] };
}

/** Through the mount alone. @returns bytes a second, and the processor time of one */
async function pass(bench: MountBench, direction: Direction) {
  const { mounted, users } = bench;
  prepare(bench, direction, mounted);
  const { outcome, cpuUs } = await withCpu(bench, () =>
    performAll(users.slice(0, 1), () => taskOf(bench, direction, mounted)),
  );
  return { rate: perSecond(outcome), cpuUs: cpuUs / outcome.done };
}

async function libraryRate(bench: MountBench, direction: Direction): Promise<number> {
  const bytes = bench.sizes.streamBytes;
  warm(bench, direction);
  return perSecond(
    await bench.client.perform({
      kind: 'stream',
      path: '/library-stream',
      direction,
      bytes,
      callBytes,
      way: 'calls',
    }),
  );
}

function taskOf({ sizes }: MountBench, direction: Direction, directory: string) {
  const bytes = sizes.streamBytes;
  return { kind: 'stream', path: fileIn(directory), direction, bytes } as const;
}

function prepare(bench: MountBench, direction: Direction, directory: string): void {
  if (direction === 'write') rmSync(fileIn(directory), { force: true });
  warm(bench, direction);
}

function warm({ local, sizes }: MountBench, direction: Direction): void {
  if (direction === 'write') warmMemory(local.directory, sizes.streamBytes);
}

const fileIn = (directory: string): string => join(directory, 'stream');

const rateOf = ({ value }: Limit): number => value;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}
