/** Calls that cannot be: each error says what is wrong with the call, and changes nothing. */
import test from 'ava';
import { type FileSystem } from '../../client/index.ts';
import { signCap } from '../../shared/auth.ts';
import { readKeyFile } from '../../shared/key-file.ts';
import {
  byteString,
  type Handle,
  type IodIndex,
  rootHandle,
  type SessionId,
} from '../../shared/units.ts';
import { dataOps } from '../../shared/wire/iod-ops.ts';
import { fileOps, openFlags } from '../../shared/wire/mgr-ops.ts';
import { type Op } from '../../shared/wire/op.ts';
import { type Cap } from '../../shared/wire/values.ts';
import { iodStatus, TestCluster, until } from './cluster-fixture.ts';
import { errorOf } from './messages.ts';

test('names that are too long or hold a NUL, and paths that are none', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 1 });
  const fs = await cluster.connect();
  await fs.writeFile('/file', '');
  const long = { LONG: 'n'.repeat(256), 'LONG PATH': 'p/'.repeat(2100) };
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    'a name of 256 bytes': () => fs.mkdir(`/${'n'.repeat(256)}`),
    'a name of 128 letters of two bytes': () => fs.mkdir(`/${'ü'.repeat(128)}`),
    'a path of more than 4096 bytes': () => fs.stat(`/${'p/'.repeat(2100)}`),
    'a NUL': () => fs.writeFile('/a\0b', ''),
    'a NUL in bytes': () => fs.writeFile(Buffer.from([0x2f, 0x61, 0]), ''),
    'a NUL in a target': () => fs.symlink('a\0b', '/link'),
    'an empty path': () => fs.stat(''),
    'a path that is a number': () => fs.stat(7 as unknown as string),
    'no path': () => fs.stat(undefined as unknown as string),
    'a file as a directory': () => fs.stat('/file/below'),
    'a slash behind a file': () => fs.stat('/file/'),
    'a mode that is none': () => fs.open('/file', 'rw' as 'r'),
    'a name of an attribute that is too long': () =>
      fs.getxattr('/file', `user.${'n'.repeat(251)}`),
    'a value of an attribute that is too long': () =>
      fs.setxattr('/file', 'user.a', Buffer.alloc(65_537)),
  };
  for (const [title, call] of Object.entries(calls)) {
    t.snapshot(await errorOf(t, call(), long), title);
  }
  await fs.mkdir(`/${'n'.repeat(255)}`);
  t.deepEqual(
    (await fs.readdir('/')).map(({ name }) => name.length),
    [4, 255],
  );
});

test('offsets and lengths that are negative, fractional or too big', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 1 });
  const fs = await cluster.connect();
  const file = await fs.open('/file', 'w+');
  await file.write(Buffer.from('content'), 0);
  const reader = await fs.open('/file', 'r');
  const writer = await fs.open('/file', 'a');
  const closed = await fs.open('/file', 'r');
  await closed.close();
  const byte = Buffer.from('x');
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    'read at -1': () => file.read(byte, -1),
    'read at 0.5': () => file.read(byte, 0.5),
    'read at NaN': () => file.read(byte, NaN),
    'read at 2^53': () => file.read(byte, 2 ** 53),
    'write at -1': () => file.write(byte, -1),
    'write at 1.5': () => file.write(byte, 1.5),
    'write at 2^53': () => file.write(byte, 2 ** 53),
    'write over 2^53 - 1': () => file.write(Buffer.alloc(2), Number.MAX_SAFE_INTEGER - 1),
    'truncate to -1': () => file.truncate(-1),
    'truncate to 0.5': () => file.truncate(0.5),
    'truncate to Infinity': () => file.truncate(Infinity),
    'truncate by path to -1': () => fs.truncate('/file', -1),
    'truncate by path to 2^53': () => fs.truncate('/file', 2 ** 53),
    'a write of a file open for reading': () => reader.write(byte, 0),
    'a read of a file open for writing': () => writer.read(byte, 0),
    'a read of a closed file': () => closed.read(byte, 0),
    'a layout of no iods': () => fs.open('/wish', 'w', { layout: { pcount: 0 } }),
    'a layout of too many iods': () => fs.open('/wish', 'w', { layout: { pcount: 2 } }),
    'a layout that begins nowhere': () => fs.open('/wish', 'w', { layout: { base: 1 } }),
    'a stripe of 100 bytes': () => fs.open('/wish', 'w', { layout: { ssize: 100 } }),
    'a stripe of negative size': () => fs.open('/wish', 'w', { layout: { ssize: -4096 } }),
    'a time that is none': () => fs.utimes('/file', NaN, 0),
  };
  for (const [title, call] of Object.entries(calls)) t.snapshot(await errorOf(t, call()), title);
  t.is((await fs.readFile('/file')).toString(), 'content');
  t.false(await fs.exists('/wish'));
});

test('two opens of one file by one program are apart: each has its own rights, and gives back its own', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 1 });
  const fs = await cluster.connect();
  const both = await fs.open('/file', 'w+');
  const reader = await fs.open('/file', 'r');
  await t.throwsAsync(reader.write(Buffer.from('x'), 0), { code: 'EBADF' });
  await reader.close();
  await both.write(Buffer.from('content'), 0);
  await (await fs.open('/file', 'a')).close();
  await both.write(Buffer.from('C'), 0);
  t.is(await both.read(Buffer.alloc(9), 0), 7);
  await both.close({ sync: true });
  t.is((await fs.status()).opens, 0);
  t.is((await fs.readFile('/file')).toString(), 'Content');
});

/** An open by hand: the cap itself. */
async function openRaw(fs: FileSystem, path: string, flags: number): Promise<Cap> {
  const request = {
    at: { directory: rootHandle, path: byteString(path) },
    flags,
    mode: 0o600,
    layout: { base: 0, pcount: 1, ssize: undefined },
    maker: undefined,
    handle: undefined,
    near: undefined,
  };
  const deadline = fs.session.runtime.clock.now() + 60_000;
  return (await fs.session.call(fileOps.open, request, { deadline })).cap;
}

function ask<Q, R>(fs: FileSystem, op: Op<Q, R>, request: Q): Promise<R> {
  const deadline = fs.session.runtime.clock.now() + 60_000;
  return fs.iods.iod(0 as IodIndex).call(op, request, { deadline });
}

function admit(fs: FileSystem, cap: Cap): Promise<unknown> {
  return ask(fs, dataOps.admit, { cap });
}

function touch(fs: FileSystem, { body: { handle } }: Cap): Promise<unknown> {
  return ask(fs, dataOps.read, { handle, offset: 0, length: 1 });
}

test('a cap that is forged, changed, of another session, of another file, or given back opens nothing, and is counted (SCENARIOS 182-185)', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 1 });
  const [mine, theirs] = [await cluster.connect(), await cluster.connect()];
  const { read, write, create } = openFlags;
  const cap = await openRaw(mine, '/file', read | write | create);
  const foreign = await openRaw(theirs, '/other', read | write | create);
  const readOnly = await openRaw(theirs, '/file', read);
  const names = { SESSION: `session ${foreign.body.session}` };

  await admit(mine, cap);
  await touch(mine, cap);
  const secret = await readKeyFile(mine.session.runtime.disk, cluster.keyFile);
  const { body } = foreign;
  const wrongs: Readonly<Record<string, Cap>> = {
    'of another session': foreign,
    forged: signCap(Buffer.alloc(32, 9), { ...body, session: cap.body.session }),
    'with more rights': { ...cap, body: { ...cap.body, rights: 3, sequence: 10 ** 9 } },
    'for another file': { ...cap, body: { ...cap.body, handle: body.handle } },
    'signed for a session that never was': signCap(secret, { ...body, session: 999 as SessionId }),
  };
  for (const [title, wrong] of Object.entries(wrongs)) {
    t.snapshot(await errorOf(t, admit(mine, wrong), names), title);
  }
  t.snapshot(await errorOf(t, touch(mine, foreign)), 'use of a file never opened');
  const nothing = { ...cap, body: { ...cap.body, handle: 4711 as Handle } };
  t.snapshot(await errorOf(t, touch(mine, nothing)), 'use of a file that never was');

  await admit(theirs, readOnly);
  const { handle } = readOnly.body;
  const deadline = theirs.session.runtime.clock.now() + 60_000;
  const writing = theirs.iods
    .iod(0 as IodIndex)
    .call(dataOps.write, { handle, offset: 0 }, { deadline, payload: [Buffer.from('x')] });
  t.snapshot(await errorOf(t, writing), 'a right to read, used to write');

  const close = {
    handle: cap.body.handle,
    rights: 3,
    size: undefined,
    modified: undefined,
    mayHaveHoles: false,
  };
  await mine.session.call(fileOps.close, close, { deadline });
  await until(async () => (await touch(mine, cap).catch(() => 'refused')) === 'refused');
  t.snapshot(await errorOf(t, touch(mine, cap)), 'given back');
  t.snapshot(await errorOf(t, admit(mine, cap)), 'given back, and shown again');
  t.true((await iodStatus(mine, 0)).refusedCaps >= 6);
});
