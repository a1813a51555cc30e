/**
 * The programs as users get them: what tsx runs is the same, but slower where functions are made.
 * `npm run bench` builds them first.
 */
import { projectPath } from '../scripts/project.ts';

export function builtPath(path: string): string {
  return projectPath(`dist/${path}`);
}

export async function builtClient(): Promise<typeof import('../client/index.ts')> {
  return (await import(builtPath('client/index.js'))) as typeof import('../client/index.ts');
}

export async function builtRuntime(): Promise<typeof import('../shared/runtime/node.ts')> {
  const path = builtPath('shared/runtime/node.js');
  return (await import(path)) as typeof import('../shared/runtime/node.ts');
}
