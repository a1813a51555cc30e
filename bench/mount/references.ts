/**
 * What the mount is measured beside: the local disk, and where `bindfs` is installed that disk behind a
 * server of the kernel's FUSE protocol that is written in C with libfuse and only passes everything on.
 * Nobody who answers the kernel through this protocol gets much beyond the second.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

export interface Reference {
  readonly name: string;
  /** Where to work. */
  readonly directory: string;
}

/** @param directory on the disk of the iods */
export async function besideReferences<T>(
  directory: string,
  use: (local: Reference, others: readonly Reference[]) => Promise<T>,
): Promise<T> {
  const local = { name: 'local disk', directory: join(directory, 'local') };
  mkdirSync(local.directory);
  if (!canRun('bindfs')) {
    console.error('bindfs is not installed: nothing is measured beside a FUSE server in C');
    return use(local, []);
  }
  const [behind, mounted] = [join(directory, 'behind-bindfs'), join(directory, 'bindfs')];
  for (const path of [behind, mounted]) mkdirSync(path);
  execFileSync('bindfs', [behind, mounted]);
  try {
    return await use(local, [{ name: 'bindfs, C', directory: mounted }]);
  } finally {
    execFileSync('umount', ['--lazy', mounted]);
  }
}

/** Whether it is installed; all that are asked for know `--version`. */
export function canRun(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
