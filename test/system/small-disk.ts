/** A disk as small, or as read-only, as a test wants it: a tmpfs, which only root can mount. */
import { spawnSync } from 'node:child_process';
import test, { type ExecutionContext } from 'ava';
import { temporaryDirectory } from './cluster-fixture.ts';
import { made, undone } from './keepsafe.ts';

/** @returns where it is mounted */
export async function mountTmpfs(t: ExecutionContext, options: string): Promise<string> {
  const place = await temporaryDirectory(t);
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', place]);
  if (status !== 0) throw new Error(`cannot mount: ${stderr.toString()}`);
  made('mount', place);
  t.teardown(() => {
    spawnSync('umount', ['--lazy', place]);
    undone('mount', place);
  });
  return place;
}

/** A test that needs such a disk: skipped by name where there can be none. */
export function diskTest(
  title: string,
  implementation: (t: ExecutionContext) => Promise<void>,
): void {
  if (process.getuid?.() === 0 && process.platform === 'linux') test(title, implementation);
  else test.skip(`${title} [only root can mount a small disk]`, implementation);
}
