import * as fsp from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type IodIdentity, openDataDirectory } from '../../shared/data-directory.ts';
import { makeNodeRuntime } from '../../shared/runtime/node.ts';

const runtime = makeNodeRuntime({ log: 'silent' });

const identity: IodIdentity = {
  storeId: 'ab'.repeat(32),
  cluster: 'c',
  name: 'iod3',
  incarnation: 4,
  lives: ['cd'.repeat(32), 'ef'.repeat(32)],
  clean: true,
  bootId: 'boot 1',
  port: 7304,
  generation: 2,
  losses: 0,
};

async function newPath(t: ExecutionContext): Promise<string> {
  const parent = await fsp.mkdtemp(join(tmpdir(), 'weft-data-'));
  t.teardown(() => fsp.rm(parent, { recursive: true, force: true }));
  return join(parent, 'a', 'b');
}

const open = (path: string, holder = 'us') =>
  openDataDirectory(runtime, { path, role: 'iod', holder });

/** A directory of an iod that nobody holds. */
async function savedPath(t: ExecutionContext): Promise<string> {
  const path = await newPath(t);
  const { save, lock } = await open(path).then((data) => ({
    save: (next: IodIdentity) => data.save(next),
    lock: data.lock,
  }));
  await save(identity);
  await lock.release();
  return path;
}

/** After a refusal the directory is free, and nothing in it has changed. */
async function checkRefusal(t: ExecutionContext, path: string, weftCode: string): Promise<void> {
  const file = join(path, 'weft.json');
  const before = await fsp.readFile(file, 'utf8').catch(() => 'none');
  const error = await t.throwsAsync(open(path));
  t.is((error as { weftCode?: string } | undefined)?.weftCode, weftCode);
  const after = await fsp.readFile(file, 'utf8').catch(() => 'none');
  t.is(after, before);
  const lock = await runtime.disk.lock(path, 'the next one');
  await lock.release();
}

test('a new directory is made and is nobody’s; what is saved comes back', async (t) => {
  const path = await newPath(t);
  const first = await open(path);
  t.is(first.identity, undefined);
  await first.save({ ...identity, incarnation: 1 });
  await Promise.all([first.save({ ...identity, incarnation: 2 }), first.save(identity)]);
  await first.lock.release();
  const second = await open(path);
  t.deepEqual(second.identity, identity);
  await second.lock.release();
});

test('a directory that somebody holds is refused with the holder’s name', async (t) => {
  const path = await newPath(t);
  const first = await open(path, 'iod iod3, pid 99');
  const error = await t.throwsAsync(open(path, 'another'));
  t.is((error as { weftCode?: string } | undefined)?.weftCode, 'WEFT_E_DATA_LOCKED');
  t.regex(error?.message ?? '', /iod iod3, pid 99/);
  await first.lock.release();
  await (await open(path)).lock.release();
});

test('a directory of the other role is refused', async (t) => {
  const path = await newPath(t);
  const mgr = await openDataDirectory(runtime, { path, role: 'mgr', holder: 'us' });
  await mgr.save({ cluster: 'c', port: 7300, clean: false, bootId: '' });
  await mgr.lock.release();
  await checkRefusal(t, path, 'WEFT_E_DATA_ROLE');
});

test('a directory of a newer format is refused, whatever else it says', async (t) => {
  const path = await savedPath(t);
  await fsp.writeFile(join(path, 'weft.json'), JSON.stringify({ format: 2, role: 'dancer' }));
  await checkRefusal(t, path, 'WEFT_E_DATA_NEWER');
});

for (const [what, content] of Object.entries({
  'no JSON': '{"format": 1, "role"',
  nothing: '',
  'no object': '7',
  'an unknown role': JSON.stringify({ format: 1, ...identity, role: 'dancer' }),
  'no format': JSON.stringify({ role: 'iod', ...identity }),
  'a field too few': JSON.stringify({ format: 1, role: 'iod', ...identity, name: undefined }),
  'a negative count': JSON.stringify({ format: 1, role: 'iod', ...identity, incarnation: -1 }),
  'an impossible port': JSON.stringify({ format: 1, role: 'iod', ...identity, port: 65_536 }),
  'a life that is none': JSON.stringify({ format: 1, role: 'iod', ...identity, lives: [7] }),
  'a store id cut short': JSON.stringify({ format: 1, role: 'iod', ...identity, storeId: 'abc' }),
})) {
  test(`an identity file with ${what} is damaged, and is left as it is`, async (t) => {
    const path = await savedPath(t);
    await fsp.writeFile(join(path, 'weft.json'), content);
    await checkRefusal(t, path, 'WEFT_E_DATA_DAMAGED');
  });
}

test('an identity of before there were lives is one without any', async (t) => {
  const path = await savedPath(t);
  const old = { format: 1, role: 'iod', ...identity, lives: undefined };
  await fsp.writeFile(join(path, 'weft.json'), JSON.stringify(old));
  const { identity: read, lock } = await open(path);
  t.deepEqual(read, { ...identity, lives: [] });
  await lock.release();
});

test('objects or a store without an identity are damaged, not new', async (t) => {
  for (const name of ['objects', 'meta.db']) {
    const path = join(await newPath(t), name);
    await fsp.mkdir(join(path, name), { recursive: true });
    await checkRefusal(t, path, 'WEFT_E_DATA_DAMAGED');
  }
});

test('a path that is a file, or is relative, is refused', async (t) => {
  const path = await newPath(t);
  await fsp.mkdir(join(path, '..'), { recursive: true });
  await fsp.writeFile(path, '');
  await t.throwsAsync(open(path), { name: 'FsError' });
  await t.throwsAsync(open('data/iod'), { code: 'EINVAL' });
});
