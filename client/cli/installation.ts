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

/** Starts a program of ours; its arguments follow. */
export function programCommand(role: 'mgr' | 'iod'): readonly string[] {
  return [process.execPath, ...(isSource ? ['--import=tsx'] : []), programPath(role)];
}
