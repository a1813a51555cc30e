/** What has been read is read once more: from pages that the kernel keeps while nobody writes. */
import { join } from 'node:path';
import type { Row } from '../rows.ts';
import { measureAll, type MountBench } from './mount-bench.ts';
import type { UserTask } from './user-tasks.ts';

const bytes = 16 * 1024 * 1024;
const randomMs = 500;
const GiB = 1024 ** 3;

export async function measureAgain(bench: MountBench): Promise<Row[]> {
  const measure = (task: (path: string) => UserTask) =>
    measureAll(bench, 1, (directory) => task(join(directory, 'again')));
  const stream = (direction: 'write' | 'read') =>
    measure((path) => ({ kind: 'stream', path, direction, bytes }));
  await stream('write');
  // Of a file of this size pages are kept from the second time on.
  for (let i = 0; i < 2; i++) await stream('read');
  const large = await stream('read');
  const small = await measure((path) => ({ kind: 'random', path, bytes, ms: randomMs }));
  const group = 'reads of what was read before';
  const rows: Row[] = [];
  for (const { name, value } of large.there) {
    rows.push({
      group,
      name: 'in order, calls of 1 MiB',
      value: large.here / 1e6,
      unit: 'MB/s',
      limit: { name: `${name}, from memory`, value: value / 1e6 },
      cpu: (large.cpuUs * GiB) / 1e6,
    });
  }
  for (const { name, value } of small.there) {
    rows.push({
      group,
      name: '4 KiB anywhere',
      value: small.here,
      unit: '/s',
      limit: { name: `${name}, from memory`, value },
      cpu: small.cpuUs,
    });
  }
  return rows;
}
