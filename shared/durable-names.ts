/** Names that survive power loss: a directory is synced wherever it got or lost an entry. */
import { dirname } from 'node:path';
import type { Disk } from './runtime/runtime.ts';

/** Makes the directory and its parents; all of them are durable when it returns. */
export async function makeDirectoryDurably(disk: Disk, path: string): Promise<void> {
  if ((await disk.stat(path))?.kind === 'directory') return;
  const parent = dirname(path);
  if (parent !== path) await makeDirectoryDurably(disk, parent);
  await disk.makeDirectory(path);
  await disk.syncDirectory(parent);
}

/**
 * Puts `content` in place of the file, durable when it returns. A crash leaves the old content or
 * the new one, never a mixture (SCENARIOS 223); what it leaves of `PATH.new` is overwritten.
 */
export async function replaceFileDurably(
  disk: Disk,
  path: string,
  content: Uint8Array,
): Promise<void> {
  const aside = asideOf(path);
  const file = await disk.open(aside, 'create');
  try {
    await file.truncate(0);
    await file.write([content], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(aside, path);
  await disk.syncDirectory(dirname(path));
}

/** Where the next content of the file is written. */
export function asideOf(path: string): string {
  return `${path}.new`;
}

/** The whole content of a small file; `undefined` when there is none. */
export async function readFileIfThere(disk: Disk, path: string): Promise<Buffer | undefined> {
  const stat = await disk.stat(path);
  if (stat === undefined) return undefined;
  const file = await disk.open(path, 'read');
  try {
    const content = Buffer.alloc(stat.sizeBytes);
    return content.subarray(0, await file.read([content], 0));
  } finally {
    await file.close();
  }
}
