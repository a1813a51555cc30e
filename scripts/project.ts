/**
 * Where the project's files are. Tests run as the compiler has put them into a directory of their
 * own (`ava.config.js`), programs such as `npm run sim` from their sources.
 */
import { fileURLToPath } from 'node:url';

const isSource = import.meta.url.endsWith('.ts');
const modules = new URL('..', import.meta.url);
const project = isSource ? modules : new URL('..', modules);

/** @param path below the project's directory: `docs/FS.md`; without it that directory and a `/` */
export function projectPath(path = ''): string {
  return fileURLToPath(new URL(path, project));
}

/** What Node is told before a program that imports modules of ours. */
export const loaderWords: readonly string[] = isSource ? ['--import=tsx'] : [];

/** @param source such as `shared/clock.ts` @returns where that module is loaded from, as this one is */
export function moduleUrl(source: string): string {
  return new URL(isSource ? source : source.replace(/ts$/, 'js'), modules).href;
}

/** @param source as for `moduleUrl` */
export function modulePath(source: string): string {
  return fileURLToPath(moduleUrl(source));
}

/** What Node is told to run a program of ours; its arguments follow. @param source of its module */
export function programWords(source: string): readonly string[] {
  return [...loaderWords, modulePath(source)];
}
