/** Root makes something for somebody else, as the kernel of a mount does for its programs. */
import test from 'ava';
import { byteString } from '../../../shared/units.ts';
import { openFlags } from '../../../shared/wire/mgr-ops.ts';
import type { InodeKind } from '../../../shared/wire/values.ts';
import { alice, anyLayout, at, bob, fails, NameSpace, root } from '../name-space.ts';

const { read, write, create, exclusive } = openFlags;
const target = byteString('f');

/** What makes a name, by root for alice. */
function makers(names: NameSpace) {
  const made = { maker: alice, lend: false, handle: undefined, near: undefined };
  const node = (path: string, kind: InodeKind) =>
    names.call('makeNode', { ...made, at: at(path), kind, mode: 0o666, device: 7 }).attr;
  const open = (path: string, flags: number, mode = 0o666) =>
    names.openRequest({ ...made, at: at(path), flags, mode, layout: anyLayout }).inode;
  return {
    file: (path: string) => open(path, read | write | create | exclusive),
    node: (path: string) => node(path, 'file'),
    directory: (path: string) => node(path, 'directory'),
    symlink: (path: string) => names.call('symlink', { at: at(path), target, maker: alice }).attr,
    device: (path: string) => node(path, 'character'),
    open,
  };
}

test('what root makes for somebody belongs to him, and to the group of a set-gid directory', (t) => {
  const names = new NameSpace();
  names.directory('d', 0o777);
  names.directory('shared', 0o777);
  names.as(bob, () => names.directory('of-bob', 0o777));
  names.change('of-bob', { mode: 0o2777 });
  const { file, node, directory, symlink } = makers(names);
  for (const make of [file, node, directory, symlink]) {
    t.like(make(`d/${make.name}`), { uid: alice.uid, gid: alice.gid });
    t.like(make(`of-bob/${make.name}`), { uid: alice.uid, gid: bob.gid });
  }
});

test('it is made only where he may', (t) => {
  const names = new NameSpace();
  names.directory('d', 0o755);
  names.as(bob, () => names.directory('group', 0o777));
  const { file, node, directory, symlink, device } = makers(names);
  for (const make of [file, node, directory, symlink]) fails(t, 'EACCES', () => make('d/x'));
  fails(t, 'EPERM', () => device('group/x'));
});

test('a file that is there already is opened by his rights', (t) => {
  const names = new NameSpace();
  names.file('f', 0o644);
  const { open } = makers(names);
  t.is(open('f', read | create).handle, names.stat('f').handle);
  fails(t, 'EACCES', () => open('f', write | create));
  t.is(open('new', write | create, 0o000).uid, alice.uid, 'a new one whatever its mode');
});

test('nobody but root makes anything for somebody else', (t) => {
  const names = new NameSpace();
  const { file, node, directory, symlink, open } = makers(names);
  names.file('f', 0o666);
  names.as(bob, () => {
    for (const make of [file, node, directory, symlink]) fails(t, 'EPERM', () => make('x'));
    fails(t, 'EPERM', () => open('f', read));
  });
  names.as(alice, () => fails(t, 'EPERM', () => file('x')));
  names.as(root, () => file('x'));
});

test('a file that is made before it is opened begins where any other does', (t) => {
  const names = new NameSpace();
  t.is(makers(names).node('f').place, 'iods');
  names.smallFileBytes = 100;
  const { node, file, directory } = makers(names);
  t.is(node('g').place, 'mgr');
  t.is(file('h').place, 'mgr');
  t.is(directory('d').place, 'iods');
});
