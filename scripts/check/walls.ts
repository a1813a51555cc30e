/**
 * Who may import whom: rooms of our own, packages, and Node's modules. Walls keep a daemon from
 * growing into another, and everything that is not pure in one place that a simulator can replace.
 */
import { builtinModules } from 'node:module';
import { type Finding, type Import, importsOf, isSource, type SourceTree } from './source-tree.ts';

const onNode = ['shared', 'shared/runtime/node'] as const;
const anywhere = [...onNode, 'shared/runtime/browser'] as const;
const product = [...anywhere, 'mgr', 'iod', 'client', 'client/cli', 'client/dashboard'] as const;
const mayImport = {
  shared: ['shared'],
  'shared/runtime/node': onNode,
  'shared/runtime/browser': ['shared', 'shared/runtime/browser'],
  mgr: ['mgr', ...onNode],
  iod: ['iod', ...onNode],
  client: ['client', ...anywhere],
  'client/cli': ['client/cli', 'client', ...onNode],
  'client/dashboard': ['client/dashboard', 'client', 'shared'],
  scripts: ['scripts', ...product],
  bench: ['bench', 'scripts', ...product],
  examples: ['examples', ...product],
  test: ['test', 'bench', 'examples', 'scripts', ...product],
} as const satisfies Record<string, readonly string[]>;
type Room = keyof typeof mayImport;

const packageOwners: Readonly<Record<string, RegExp>> = {
  ws: /^shared\/runtime\/node\b/,
  winston: /^shared\/runtime\/node\b/,
  'better-sqlite3': /^mgr\/store\//,
  commander: /\/main\.ts$|^client\/cli\//,
  weftfs: /^examples\//,
  esbuild: /^scripts\/browser\//,
  preact: /^client\/dashboard\//,
  'prom-client': /^shared\/runtime\/node\/exposition\.ts$/,
  'xxhash-wasm': /^shared\/checksum\.ts$/,
};
/** Tests and benchmarks compare with whatever there is. */
const ownsAnyPackage = /^(test|bench)\//;

const pureFiles = [
  /^shared\/(stripe|iodtab|iodtab-address|cluster-url|machine|units|limits|errno|recovery-report)\.ts$/,
  /^shared\/(error-catalogue|runtime\/runtime|runtime\/kill-points)\.ts$/,
  /^shared\/wire\//,
  /^mgr\/namespace\//,
  /^(mgr|iod|client)\/([a-z/-]+\/)?(membership|lifecycle|([a-z-]+-)?plan)\.ts$/,
];
/** Node modules that touch no clock, chance, disk or network, at least not by themselves. */
const plainModules =
  /^node:(assert\/strict|buffer|crypto|events|path|path\/posix|readline|stream|url|util|zlib)$/;
const ownsAnyNodeModule =
  /^shared\/runtime\/node\b|\/main\.ts$|^client\/fuse\/(?:device|mounting)\.ts$|^client\/sync\/|^(client\/cli|scripts|bench|examples|test)\//;

export function checkWalls(tree: SourceTree): Finding[] {
  return [...tree].flatMap(([path, text]) => {
    const room = roomOf(path);
    if (room === undefined || !isSource(path)) return [];
    return importsOf(path, text)
      .filter(({ loads }) => loads)
      .flatMap((one) => {
        const message = breach(path, room, one);
        return message === undefined ? [] : [{ path, line: one.line, message }];
      });
  });
}

function roomOf(path: string): Room | undefined {
  const inner = /^(?:client\/(?:cli|dashboard)(?=\/)|shared\/runtime\/(?:node|browser)\b)/.exec(
    path,
  )?.[0];
  if (inner !== undefined) return inner as Room;
  const [top = ''] = path.split('/', 1);
  return top !== path && top in mayImport ? (top as Room) : undefined;
}

function breach(
  path: string,
  room: Room,
  { clause, specifier, target }: Import,
): string | undefined {
  if (target !== undefined) return breachOfRoom(room, target);
  if (builtinModules.includes(specifier)) return `write 'node:${specifier}'`;
  if (specifier.startsWith('node:')) return breachOfPurity(path, clause, specifier);
  const packageName = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  if (ownsAnyPackage.test(path) || packageOwners[packageName]?.test(path)) return undefined;
  return packageName in packageOwners
    ? `'${packageName}' is not imported here but by its owner, ${packageOwners[packageName]}`
    : `'${packageName}' has no owner: a new package needs a decision record`;
}

function breachOfRoom(room: Room, target: string): string | undefined {
  if (target.endsWith('/main.ts')) return `${target} is imported, but a main.ts is only started`;
  const targetRoom = roomOf(target);
  const allowed: readonly string[] = mayImport[room];
  if (targetRoom !== undefined && allowed.includes(targetRoom)) return undefined;
  return `${target} is imported from ${room}, which may import ${allowed.join(', ')}`;
}

function breachOfPurity(path: string, clause: string, specifier: string): string | undefined {
  if (specifier === 'node:assert/strict') return undefined;
  if (pureFiles.some((pattern) => pattern.test(path))) {
    return `a pure file imports '${specifier}'; it may import node:assert/strict alone`;
  }
  if (plainModules.test(specifier) || ownsAnyNodeModule.test(path)) return undefined;
  // Types and numbers do nothing.
  if (/^type\b|^\{ constants \}$/.test(clause)) return undefined;
  return `'${specifier}' is only for shared/runtime/node, a main.ts and client/cli: take Runtime`;
}
