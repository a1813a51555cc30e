/** Where this release is installed, and how its programs are started. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Sources are run through tsx, what was built by Node alone. */
const isSource = import.meta.url.endsWith('.ts');
const root = fileURLToPath(new URL('../../', import.meta.url));

/** What commands of daemons are started in: with sources, tsx is found from here. */
export const installationDirectory = isSource ? root : join(root, '..');

export function programPath(role: 'mgr' | 'iod'): string {
  return join(root, role, isSource ? 'main.ts' : 'main.js');
}

/** How a daemon's heap grows: V8 would let garbage take three times the memory of what is in use. */
const heapFlags = ['--max-semi-space-size=4', '--heap-growing-percent=40'];

/** As much again may become garbage as is in use. Less costs a mount a tenth of its speed. */
export const mountFlags = ['--heap-growing-percent=80'];

/** Starts a program of ours; its arguments follow. */
export function programCommand(role: 'mgr' | 'iod'): readonly string[] {
  const loader = isSource ? ['--import=tsx'] : [];
  return [process.execPath, ...heapFlags, ...loader, programPath(role)];
}
