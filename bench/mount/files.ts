/** Calls on small files and names, by one user and by several at once. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from '../rows.ts';
import { measureAll, type MountBench } from './mount-bench.ts';
import type { FileCall } from './user-tasks.ts';

const calls: readonly FileCall[] = [
  'create, write 4 KiB, close',
  'stat',
  'fstat',
  'open, read 4 KiB, close',
];

/**
 * Nothing is removed before all has been made: an ext4 that has just freed many inodes makes new
 * ones at a thirtieth of its rate.
 */
export async function measureFiles(bench: MountBench): Promise<Row[]> {
  const few = { ...bench, sizes: { ...bench.sizes, calls: 200 } };
  const several = bench.users.length;
  await measureWith(few, 1, 'warm', calls);
  const made = [
    ...(await measureWith(bench, 1, 'one', calls)),
    ...(await measureWith(bench, several, 'several', calls)),
  ];
  await measureWith(few, 1, 'warm', ['unlink']);
  return [
    ...made,
    ...(await measureWith(bench, 1, 'one', ['unlink'])),
    ...(await measureWith(bench, several, 'several', ['unlink'])),
  ];
}

/** @param name of the directories that the users work in */
async function measureWith(
  bench: MountBench,
  users: number,
  name: string,
  wanted: readonly FileCall[],
): Promise<Row[]> {
  const folder = (directory: string, user: number): string => join(directory, `${name}-${user}`);
  const others = [bench.local, ...bench.others].map(({ directory }) => directory);
  for (const directory of [...others, bench.mounted]) {
    for (let user = 0; user < users; user++) {
      mkdirSync(folder(directory, user), { recursive: true });
    }
  }
  const rows: Row[] = [];
  for (const call of wanted) {
    const { here, there, cpuUs } = await measureAll(bench, users, (directory, user) => {
      return {
        kind: 'files',
        call,
        directory: folder(directory, user),
        count: bench.sizes.calls,
      };
    });
    const group = `files of the mount, ${users} user${users > 1 ? 's at once' : ''}`;
    for (const limit of there) {
      rows.push({ group, name: call, value: here, unit: '/s', limit, cpu: cpuUs });
    }
  }
  return rows;
}
