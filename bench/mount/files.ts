/** Calls on small files and names, by one user and by several at once. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from '../rows.ts';
import { measureBoth, type MountBench } from './mount-bench.ts';
import type { FileCall } from './user-tasks.ts';

const calls: readonly FileCall[] = [
  'create, write 4 KiB, close',
  'stat',
  'fstat',
  'open, read 4 KiB, close',
  'unlink',
];

export async function measureFiles(bench: MountBench): Promise<Row[]> {
  const few = { ...bench, sizes: { ...bench.sizes, calls: 200 } };
  await measureWith(few, 1);
  const rows: Row[] = [];
  for (const users of [1, bench.users.length]) rows.push(...(await measureWith(bench, users)));
  return rows;
}

async function measureWith(bench: MountBench, users: number): Promise<Row[]> {
  const folders = [bench.local, bench.mounted].flatMap((directory) =>
    Array.from({ length: users }, (_, user) => folder(directory, user)),
  );
  for (const one of folders) mkdirSync(one);
  const rows: Row[] = [];
  for (const call of calls) {
    const { here, there, cpuUs } = await measureBoth(bench, users, (directory, user) => {
      return {
        kind: 'files',
        call,
        directory: folder(directory, user),
        count: bench.sizes.calls,
      };
    });
    rows.push({
      group: `files of the mount, ${users} user${users > 1 ? 's at once' : ''}`,
      name: call,
      value: here,
      unit: '/s',
      limit: { name: 'local disk', value: there },
      cpu: cpuUs,
    });
  }
  for (const one of folders) rmSync(one, { recursive: true });
  return rows;
}

function folder(directory: string, user: number): string {
  return join(directory, `files-${user}`);
}
