/** The same calls on Node's own file system and on a cluster have the same outcomes. */
import assert from 'node:assert/strict';
import * as nodeFs from 'node:fs';
import test from 'ava';
import * as fc from 'fast-check';
import { limits } from '../../../shared/limits.ts';
import { startLocalCluster, type LocalCluster } from './local-cluster.ts';
import { type AnyFs, Below, type Call, outcomeOf, settled } from './outcome.ts';

let cluster: LocalCluster;
let trees = 0;

test.before(async () => {
  cluster = await startLocalCluster(2, limits.smallFileBytesDefault);
});
test.after.always(() => cluster.stop());

const { constants } = nodeFs;
const names = ['a', 'b', 'c', 'ü'];
const simplePath = fc
  .array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/'));
const oddPath = fc.constantFrom('', '.', 'a/', 'a/.', 'a/..', 'a/../b', 'b//c', './a');
const path = fc
  .tuple(fc.oneof({ weight: 8, arbitrary: simplePath }, oddPath), fc.boolean())
  .map(([text, inBytes]) => new Below(text, inBytes));
const textPath = simplePath.map((text) => new Below(text));
const text = fc.constantFrom('', 'x', 'hello', 'ä'.repeat(100), 'z'.repeat(70_000));
/** An empty one is written by callbacks of Node, but not by its promises. */
const someText = text.filter((one) => one !== '');
const mode = fc.constantFrom(0o600, 0o644, '755', 0o400, 0o1777, undefined);
const flag = fc.constantFrom('r', 'r+', 'w', 'wx', 'w+', 'a', 'ax', 'a+', 'as', 'xw+', undefined);
const id = fc.constantFrom(-1, 0, 1, 77);
const time = fc.constantFrom(
  0,
  1.5,
  1_700_000_000,
  '12',
  new Date(5_000),
  new Date(1_234_567_890_123),
);
const size = fc.constantFrom(0, 1, 3, 100, 70_001);
const bigint = fc.constantFrom(undefined, { bigint: true }, { bigint: false });
const target = fc.oneof(path, fc.constantFrom('a', 'b', '../a', '../b/c', 'loop', '.', 'ü'));

const args: Readonly<Record<string, readonly fc.Arbitrary<unknown>[]>> = {
  access: [path, fc.constantFrom(undefined, 0, 4, 2, 6)],
  appendFile: [path, someText, fc.record({ mode, encoding: fc.constantFrom('utf8', 'latin1') })],
  chmod: [path, fc.constantFrom(0o600, '755', 0o4755, 0o7777)],
  chown: [path, id, id],
  copyFile: [path, path, fc.constantFrom(undefined, 0, constants.COPYFILE_EXCL)],
  cp: [
    textPath,
    textPath,
    fc.record({
      recursive: fc.boolean(),
      force: fc.boolean(),
      errorOnExist: fc.boolean(),
      verbatimSymlinks: fc.boolean(),
    }),
  ],
  lchown: [path, id, id],
  link: [path, path],
  lstat: [path, bigint],
  lutimes: [path, time, time],
  mkdir: [
    path,
    fc.oneof(mode, fc.record({ mode, recursive: fc.constantFrom(true, false, undefined) })),
  ],
  mkdtemp: [path],
  opendir: [path, fc.constantFrom(undefined, { bufferSize: 2 })],
  readFile: [
    path,
    fc.constantFrom(undefined, 'utf8', { encoding: 'hex', flag: 'r' }, { flag: 'a+' }),
  ],
  readdir: [path, fc.constantFrom(undefined, 'utf8', 'buffer', 'latin1', { withFileTypes: true })],
  readlink: [path, fc.constantFrom(undefined, 'buffer')],
  realpath: [path, fc.constantFrom(undefined, 'buffer')],
  rename: [path, path],
  rm: [path, fc.record({ recursive: fc.boolean(), force: fc.boolean() })],
  rmdir: [path],
  stat: [path, bigint],
  statfs: [path, bigint],
  symlink: [target, path, fc.constantFrom(undefined, 'file', 'dir')],
  truncate: [path, size],
  unlink: [path],
  utimes: [path, time, time],
  writeFile: [
    path,
    someText,
    fc.record({ mode, flag, flush: fc.constantFrom(true, false, undefined) }),
  ],
};
/** What makes something comes more often, so that there is something. */
const often = ['mkdir', 'writeFile', 'symlink', 'mkdir', 'writeFile', 'link'];

const call: fc.Arbitrary<Call> = fc.constantFrom(...Object.keys(args), ...often).chain((method) =>
  fc.record({
    style: fc.constantFrom('promises', 'callbacks'),
    method: fc.constant(method),
    args: fc.tuple(...(args[method] ?? [])),
  }),
);

const position = fc.constantFrom(null, undefined, 0, 2, 50, -1);
const handleArgs: Readonly<Record<string, readonly fc.Arbitrary<unknown>[]>> = {
  read: [
    fc.constant(16).map((room) => Buffer.alloc(room)),
    fc.constantFrom(0, 3),
    fc.constantFrom(5, 13),
    position,
  ],
  readv: [fc.constant(null).map(() => [Buffer.alloc(3), new Uint16Array(2)]), position],
  write: [fc.constantFrom('hello', Buffer.from('bytes')), fc.constantFrom(undefined, null, 0, 3)],
  writev: [fc.constant([Buffer.from('one'), Buffer.from('two')]), position],
  readFile: [fc.constantFrom('utf8', undefined)],
  writeFile: [text],
  appendFile: [text],
  stat: [bigint],
  sync: [],
  datasync: [],
  truncate: [size],
  chmod: [mode.filter((one) => one !== undefined)],
  chown: [id, id],
  utimes: [time, time],
};

type Step = readonly [method: string, args: readonly unknown[]];
const step: fc.Arbitrary<Step> = fc
  .constantFrom(...Object.keys(handleArgs))
  .chain((method) => fc.tuple(fc.constant(method), fc.tuple(...(handleArgs[method] ?? []))));

interface Session {
  readonly file: Below;
  readonly flag: string | undefined;
  readonly steps: readonly Step[];
}
const session: fc.Arbitrary<Session> = fc.record({
  file: path,
  flag,
  steps: fc.array(step, { minLength: 1, maxLength: 8 }),
});

async function runSession(
  fs: AnyFs,
  root: string,
  { file, flag, steps }: Session,
): Promise<unknown> {
  return settled(root, 'open', async () => {
    const handle = await fs.promises.open(file.at(root), flag);
    const outcomes: unknown[] = [];
    const methods = handle as unknown as Record<
      string,
      (...args: readonly unknown[]) => Promise<unknown>
    >;
    for (const [method, given] of steps) {
      // Buffers that are filled are not those of the other file system.
      const own = structuredClone(given).map((arg) =>
        arg instanceof Uint8Array ? Buffer.from(arg) : arg,
      );
      const outcome = await settled(root, method, async () => methods[method]?.(...own));
      outcomes.push(
        JSON.stringify(outcome, (_, value: unknown) =>
          typeof value === 'bigint' ? `${value}n` : value,
        ),
      );
    }
    await handle.close();
    outcomes.push(await settled(root, 'stat', () => handle.stat()));
    return Object.fromEntries(outcomes.entries());
  });
}

/** All there is. */
async function treeOf(fs: AnyFs, root: string): Promise<unknown> {
  return settled(root, 'readdir', async () => {
    const options = { recursive: true, withFileTypes: true } as const;
    const entries = await fs.promises.readdir(root, options);
    const stats = entries.map(async ({ name, parentPath }) => {
      const path = `${parentPath}/${name}`;
      return [path.slice(root.length), await fs.promises.lstat(path)] as const;
    });
    return Object.fromEntries(await Promise.all(stats));
  });
}

/** `cp` of Node looks at both paths at once: of two failures either is told. */
function certainOf({ method }: Call, outcome: unknown): unknown {
  const { syscall } = (outcome ?? {}) as { syscall?: string };
  return method === 'cp' && syscall === 'lstat' ? 'fails at a path' : outcome;
}

/** Of their own, with a parent that is theirs: links may lead there. */
async function twoRoots(): Promise<{ real: string; ours: string }> {
  trees++;
  const real = `${cluster.directory}/tree${trees}/root`;
  const ours = `/tree${trees}/root`;
  await nodeFs.promises.mkdir(real, { recursive: true });
  await cluster.fs.promises.mkdir(ours, { recursive: true });
  return { real, ours };
}

const moderate = { numRuns: 150, includeErrorInReport: true } as const;

test('any calls by path have the outcomes that they have in Node', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 30 }), async (calls) => {
      const { real, ours } = await twoRoots();
      for (const one of calls) {
        const expected = await outcomeOf(nodeFs, real, one);
        const got = await outcomeOf(cluster.fs, ours, one);
        assert.deepStrictEqual(certainOf(one, got), certainOf(one, expected));
      }
      assert.deepStrictEqual(await treeOf(cluster.fs, ours), await treeOf(nodeFs, real));
    }),
    moderate,
  );
  t.pass();
});

test('a name with a slash behind it is not made, also where it is a link to itself', async (t) => {
  const { real, ours } = await twoRoots();
  const calls: readonly Call[] = [
    { style: 'promises', method: 'symlink', args: [new Below('a'), new Below('a')] },
    { style: 'promises', method: 'writeFile', args: [new Below('a/'), 'x', { flag: 'a' }] },
    { style: 'promises', method: 'writeFile', args: [new Below('b/'), 'x'] },
    { style: 'promises', method: 'writeFile', args: [new Below('missing/b/'), 'x'] },
    { style: 'promises', method: 'readFile', args: [new Below('a/')] },
  ];
  for (const one of calls) {
    t.deepEqual(await outcomeOf(cluster.fs, ours, one), await outcomeOf(nodeFs, real, one));
  }
});

test('any calls of an open file have the outcomes that they have in Node', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(session, { minLength: 1, maxLength: 4 }), async (sessions) => {
      const { real, ours } = await twoRoots();
      for (const fs of [nodeFs, cluster.fs]) {
        const root = fs === nodeFs ? real : ours;
        await fs.promises.mkdir(`${root}/b`);
        await fs.promises.writeFile(`${root}/a`, 'some content');
      }
      for (const one of sessions) {
        const expected = await runSession(nodeFs, real, one);
        const got = await runSession(cluster.fs, ours, one);
        assert.deepStrictEqual(got, expected);
      }
      assert.deepStrictEqual(await treeOf(cluster.fs, ours), await treeOf(nodeFs, real));
    }),
    moderate,
  );
  t.pass();
});
