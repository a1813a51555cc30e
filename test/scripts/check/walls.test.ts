import test from 'ava';
import { checkWalls } from '../../../scripts/check/walls.ts';

/** What the walls say of one file that imports `specifier`. */
function verdict(path: string, specifier: string, clause = '{ it }'): string[] {
  const tree = new Map([[path, `/** Head. */\nimport ${clause} from '${specifier}';\n`]]);
  return checkWalls(tree).map(({ line, message }) => `${line}: ${message}`);
}

const allowed: [path: string, specifier: string][] = [
  ['shared/stripe.ts', './limits.ts'],
  ['shared/stripe.ts', 'node:assert/strict'],
  ['shared/key-file.ts', 'node:crypto'],
  ['shared/runtime/node.ts', 'ws'],
  ['shared/runtime/node/connect.ts', 'node:net'],
  ['shared/runtime/node/connect.ts', '../../errno.ts'],
  ['mgr/store/inodes.ts', 'better-sqlite3'],
  ['mgr/mgr.ts', '../shared/errno.ts'],
  ['iod/main.ts', 'commander'],
  ['iod/main.ts', 'node:process'],
  ['client/file.ts', '../shared/stripe.ts'],
  ['client/cli/commands/ls.ts', '../../index.ts'],
  ['client/cli/commands/ls.ts', 'commander'],
  ['examples/copy.ts', 'weftfs'],
  ['scripts/start.ts', '../mgr/mgr.ts'],
  ['test/sim/cluster.ts', '../../iod/iod.ts'],
  ['test/shared/stripe.test.ts', 'fast-check'],
  ['ava.config.js', 'anything'],
];

for (const [path, specifier] of allowed) {
  test(`${path} may import ${specifier}`, (t) => {
    t.deepEqual(verdict(path, specifier), []);
  });
}

const runtimeOnly = 'is only for shared/runtime/node, a main.ts and client/cli: take Runtime';
const breaches: [path: string, specifier: string, message: string][] = [
  [
    'shared/stripe.ts',
    '../client/file.ts',
    'client/file.ts is imported from shared, which may import shared',
  ],
  [
    'shared/rpc/link.ts',
    '../runtime/node/net.ts',
    'shared/runtime/node/net.ts is imported from shared, which may import shared',
  ],
  [
    'shared/runtime/browser/page-net.ts',
    '../node/net.ts',
    'shared/runtime/node/net.ts is imported from shared/runtime/browser, which may import shared, shared/runtime/browser',
  ],
  [
    'mgr/mgr.ts',
    '../iod/iod.ts',
    'iod/iod.ts is imported from mgr, which may import mgr, shared, shared/runtime/node',
  ],
  [
    'iod/ops/read.ts',
    '../../client/io-plan.ts',
    'client/io-plan.ts is imported from iod, which may import iod, shared, shared/runtime/node',
  ],
  [
    'client/file.ts',
    './cli/table.ts',
    'client/cli/table.ts is imported from client, which may import client, shared, shared/runtime/node, shared/runtime/browser',
  ],
  [
    'client/file.ts',
    '../test/sim/clock.ts',
    'test/sim/clock.ts is imported from client, which may import client, shared, shared/runtime/node, shared/runtime/browser',
  ],
  [
    'mgr/mgr.ts',
    '../ava.config.js',
    'ava.config.js is imported from mgr, which may import mgr, shared, shared/runtime/node',
  ],
  [
    'test/mgr/main.test.ts',
    '../../mgr/main.ts',
    'mgr/main.ts is imported, but a main.ts is only started',
  ],
  ['mgr/mgr.ts', 'node:fs', `'node:fs' ${runtimeOnly}`],
  ['shared/rpc/link.ts', 'node:timers/promises', `'node:timers/promises' ${runtimeOnly}`],
  ['shared/runtime/nodes.ts', 'node:net', `'node:net' ${runtimeOnly}`],
  ['mgr/mgr.ts', 'fs', "write 'node:fs'"],
  ...['shared/iodtab.ts', 'shared/wire/codec.ts', 'mgr/namespace/path.ts', 'client/io-plan.ts'].map(
    (path): [string, string, string] => [
      path,
      'node:util',
      "a pure file imports 'node:util'; it may import node:assert/strict alone",
    ],
  ),
  ['client/file.ts', 'left-pad', "'left-pad' has no owner: a new package needs a decision record"],
  [
    'client/file.ts',
    '@scope/name/deep.js',
    "'@scope/name' has no owner: a new package needs a decision record",
  ],
];

for (const [path, specifier, message] of breaches) {
  test(`${path} may not import ${specifier}`, (t) => {
    t.deepEqual(verdict(path, specifier), [`2: ${message}`]);
  });
}

for (const [path, name] of [
  ['iod/iod.ts', 'ws'],
  ['mgr/mgr.ts', 'better-sqlite3'],
  ['mgr/mgr.ts', 'winston'],
  ['client/file.ts', 'commander'],
  ['client/file.ts', 'weftfs'],
] as const) {
  test(`${path} may not import ${name}, which has an owner`, (t) => {
    const [message, ...others] = verdict(path, name);
    t.regex(message ?? '', new RegExp(`^2: '${name}' is not imported here but by its owner`));
    t.is(others.length, 0);
  });
}

test('types and constants of a module that only the runtime may use are for all', (t) => {
  t.deepEqual(verdict('client/file.ts', 'node:fs', 'type { Stats }'), []);
  t.deepEqual(verdict('client/file.ts', 'node:fs', '{ constants }'), []);
  t.is(verdict('client/file.ts', 'node:fs', '{ constants, openSync }').length, 1);
  t.is(verdict('shared/iodtab.ts', 'node:fs', '{ constants }').length, 1);
});
