import test from 'ava';
import { resolve } from '../../../mgr/namespace/path.ts';
import { limits } from '../../../shared/limits.ts';
import type { ByteString, Handle } from '../../../shared/units.ts';
import { alice, at, bytes, fails, NameSpace } from '../name-space.ts';

/** /a/b/file, /a/b/c, and symlinks to them. */
function setup(): NameSpace {
  const names = new NameSpace();
  names.directory('a');
  names.directory('a/b');
  names.directory('a/b/c');
  names.file('a/b/file');
  names.symlink('a/absolute', '/a/b');
  names.symlink('a/relative', 'b/c/..');
  names.symlink('a/to-file', 'b/file');
  names.symlink('a/slashed', 'b/file/');
  names.symlink('a/dangling', 'b/nothing');
  return names;
}

test('a path leads to what it names, however it is written', (t) => {
  const names = setup();
  const file = names.stat('/a/b/file').handle;
  for (const path of [
    'a/b/file',
    '//a///b/file',
    './a/./b/./file',
    'a/b/../b/file',
    'a/b/c/../file',
    '../../a/b/file',
    'a/absolute/file',
    'a/relative/file',
    'a/absolute/c/../../relative/file',
    'a/to-file',
  ]) {
    t.is(names.stat(path).handle, file, path);
  }
  const directory = names.stat('a/b').handle;
  for (const path of [
    'a/b/',
    'a/b//',
    'a/b/.',
    'a/b/c/..',
    'a/absolute',
    'a/absolute/',
    'a/relative/.',
  ]) {
    t.is(names.stat(path).handle, directory, path);
  }
  for (const path of ['/', '//', '.', '..', '../..', '/..', 'a/..', '']) {
    t.is(names.stat(path).handle, 1 as Handle, path);
  }
});

test('paths start at any directory, absolute ones at the root, an empty one is the handle itself', (t) => {
  const names = setup();
  const { handle: b } = names.stat('a/b');
  const { handle: file } = names.stat('a/b/file');
  t.is(resolve(names.context(), at('file', b), true).handle, file);
  t.is(resolve(names.context(), at('../b/file', b), true).handle, file);
  t.is(resolve(names.context(), at('/a', b), true).handle, names.stat('a').handle);
  t.is(resolve(names.context(), at('', file), true).handle, file);
  const { handle: symlink } = names.stat('a/to-file', false);
  t.is(resolve(names.context(), at('', symlink), true).handle, symlink);
});

test('a symlink at the end is followed if wished or before a slash', (t) => {
  const names = setup();
  t.is(names.stat('a/to-file', false).kind, 'symlink');
  t.is(names.stat('a/absolute', false).kind, 'symlink');
  t.is(names.stat('a/absolute/', false).kind, 'directory');
  t.is(names.stat('a/dangling', false).kind, 'symlink');
  fails(t, 'ENOENT', () => names.stat('a/dangling'));
});

test('what is no directory is not walked through', (t) => {
  const names = setup();
  const { handle: file } = names.stat('a/b/file');
  for (const path of [
    'a/b/file/x',
    'a/b/file/',
    'a/b/file/.',
    'a/b/file/..',
    'a/to-file/x',
    'a/to-file/',
    'a/slashed',
  ]) {
    fails(t, 'ENOTDIR', () => names.stat(path), path);
  }
  fails(t, 'ENOTDIR', () => resolve(names.context(), at('x', file), true));
});

test('what is missing on the way is ENOENT, a removed directory too', (t) => {
  const names = setup();
  for (const path of ['x', 'a/x', 'x/y', 'x/..', 'a/dangling/x']) {
    fails(t, 'ENOENT', () => names.stat(path), path);
  }
  const { handle: c } = names.stat('a/b/c');
  names.removeDirectory('a/b/c');
  for (const path of ['', '.', '..', 'x']) {
    fails(t, 'ENOENT', () => resolve(names.context(), at(path, c), true), path);
  }
  fails(t, 'ENOENT', () => resolve(names.context(), at('x', 999 as Handle), true));
});

test('symlinks in a circle, and more than the bound of them, are ELOOP', (t) => {
  const names = new NameSpace();
  names.symlink('self', 'self');
  names.symlink('ping', 'pong/x');
  names.symlink('pong', 'ping');
  fails(t, 'ELOOP', () => names.stat('self'));
  fails(t, 'ELOOP', () => names.stat('self/x'));
  fails(t, 'ELOOP', () => names.stat('pong'));
  names.file('l0');
  for (let i = 1; i <= limits.symlinksFollowedMax + 1; i++) names.symlink(`l${i}`, `l${i - 1}`);
  t.is(names.stat(`l${limits.symlinksFollowedMax}`).kind, 'file');
  fails(t, 'ELOOP', () => names.stat(`l${limits.symlinksFollowedMax + 1}`));
});

test('names have a bound and may be any bytes but slash and NUL', (t) => {
  const names = new NameSpace();
  const longest = 'x'.repeat(limits.nameBytesMax);
  names.file(longest);
  t.is(names.stat(longest).kind, 'file');
  fails(t, 'ENAMETOOLONG', () => names.stat(`${longest}x`));
  fails(t, 'ENAMETOOLONG', () => names.stat(`${longest}x/y`));
  fails(t, 'ENAMETOOLONG', () => names.file(`${longest}x`));
  const odd = bytes(1, 0x80, 0xff, 0xc3, 0x28, 10);
  names.call('makeNode', {
    at: { directory: 1 as Handle, path: odd },
    kind: 'file',
    mode: 0,
    device: 0,
    maker: undefined,
    lend: false,
  });
  names.commit();
  names.reopen();
  t.is(resolve(names.context(), { directory: 1 as Handle, path: odd }, true).kind, 'file');
  const withNul = 'a\0b' as ByteString;
  fails(t, 'EINVAL', () =>
    resolve(names.context(), { directory: 1 as Handle, path: withNul }, true),
  );
});

test('each directory on the way must be searchable, the one that is named need not be', (t) => {
  const names = setup();
  names.change('a/b', { mode: 0o644 });
  names.who = alice;
  t.is(names.stat('a/b').kind, 'directory');
  t.is(names.stat('a/absolute').kind, 'directory');
  for (const path of [
    'a/b/file',
    'a/b/.',
    'a/b/..',
    'a/b/missing',
    'a/absolute/file',
    'a/to-file',
    'a/b/c/../file',
  ]) {
    fails(t, 'EACCES', () => names.stat(path), path);
  }
});
