/** The files of the project, and what each of them imports. The rules look at nothing else. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, posix } from 'node:path';

/** Path, relative to the root and with slashes, to content; '' for files that hold no text. */
export type SourceTree = ReadonlyMap<string, string>;

export interface Finding {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

export interface Import {
  readonly line: number;
  /** What is taken, as it is written: `type { Stats }`, `* as net`, `{ constants }`, or ''. */
  readonly clause: string;
  /** From where, as it is written. */
  readonly specifier: string;
  /** Path that a relative specifier leads to; `undefined` for packages and Node's own modules. */
  readonly target: string | undefined;
  /** False for `new URL('./x.ts', import.meta.url)`: names a file for another process or thread. */
  readonly loads: boolean;
}

const textExtensions = new Set([
  '',
  ...'.ts .tsx .js .mjs .cjs .json .md .yml .yaml .sh'.split(' '),
]);

/** Reads all files below `root` but those that `.gitignore` names. */
export function readTree(root: string): SourceTree {
  const ignored = ignoredBy(readFileSync(join(root, '.gitignore'), 'utf8'));
  const tree = new Map<string, string>();
  const directories = [''];
  for (const directory of directories) {
    for (const entry of readdirSync(join(root, directory), { withFileTypes: true })) {
      const path = posix.join(directory, entry.name);
      if (entry.name === '.git' || ignored(path)) continue;
      if (entry.isDirectory()) directories.push(path);
      else if (entry.isFile()) {
        const hasText = textExtensions.has(extname(path));
        tree.set(path, hasText ? readFileSync(join(root, path), 'utf8') : '');
      }
    }
  }
  return tree;
}

/** Knows the two forms that our `.gitignore` has: `a/b/` and `*.ending`. */
function ignoredBy(gitignore: string): (path: string) => boolean {
  const patterns = gitignore.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const endings = patterns.filter((one) => one.startsWith('*')).map((one) => one.slice(1));
  const directories = patterns.filter((one) => one.endsWith('/')).map((one) => one.slice(0, -1));
  const unknown = patterns.length - endings.length - directories.length;
  if (unknown > 0) throw new Error('.gitignore has a line that is neither DIRECTORY/ nor *.ENDING');
  return (path) =>
    endings.some((ending) => path.endsWith(ending)) ||
    directories.some((directory) => path === directory || path.endsWith(`/${directory}`));
}

export function isSource(path: string): boolean {
  return /\.(tsx?|js|mjs|cjs)$/.test(path);
}

export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

const importPatterns = [
  {
    loads: true,
    pattern:
      /^(?:import|export)\s(?<clause>(?:[\w\s$,*]|\{[^}]*\})*?)\s*\bfrom\s+'(?<from>[^']+)'/gm,
  },
  { loads: true, pattern: /^import\s+'(?<from>[^']+)'/gm },
  { loads: true, pattern: /\bimport\(\s*'(?<from>[^']+)'\s*\)/g },
  { loads: false, pattern: /\bnew URL\(\s*'(?<from>\.[^']+)',\s*import\.meta\.url\s*,?\s*\)/g },
] as const;

export function importsOf(path: string, text: string): readonly Import[] {
  return importPatterns.flatMap(({ loads, pattern }) =>
    [...text.matchAll(pattern)].map((match) => {
      const [statement] = match;
      const { from: specifier = '', clause = '' } = match.groups ?? {};
      const target = specifier.startsWith('.')
        ? posix.join(posix.dirname(path), specifier)
        : undefined;
      return {
        line: lineAt(text, match.index + statement.length),
        clause,
        specifier,
        target,
        loads,
      };
    }),
  );
}
