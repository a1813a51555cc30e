/** What is told of a tree: of each its kind, mode, owner, size, time, and what it holds. */
import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** @param options `times`: when each was changed last too */
export async function treeOf(
  directory: string,
  { times = true } = {},
): Promise<Map<string, unknown>> {
  const all = new Map<string, unknown>();
  const walk = async (at: string): Promise<void> => {
    const entries = await readdir(join(directory, at), { withFileTypes: true });
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(at, entry.name);
      all.set(path, await factsOf(join(directory, path), entry, times));
      if (entry.isDirectory()) await walk(path);
    }
  };
  await walk('.');
  return all;
}

async function factsOf(path: string, entry: Dirent, times: boolean) {
  const { mode, uid, gid, nlink, size, mtimeNs } = await lstat(path, { bigint: true });
  const facts = { mode, uid, gid, nlink };
  const time = times ? { mtimeNs } : {};
  if (entry.isSymbolicLink()) return { ...facts, target: await readlink(path) };
  if (entry.isDirectory()) return { ...facts, ...time };
  const sum = createHash('sha256').update(await readFile(path));
  return { ...facts, ...time, size, sum: sum.digest('hex') };
}
