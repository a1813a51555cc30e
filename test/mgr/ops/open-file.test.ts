import test from 'ava';
import { openFlags } from '../../../shared/wire/mgr-ops.ts';
import { alice, anyLayout, at, bob, fails, NameSpace } from '../name-space.ts';

const { read, write, create, exclusive, truncate, directory, noFollow } = openFlags;

function setup(): NameSpace {
  const names = new NameSpace();
  names.file('f');
  names.directory('d');
  names.symlink('to-f', 'f');
  names.symlink('to-d', 'd');
  names.symlink('dangling', 'd/new');
  return names;
}

test('what exists is opened, what does not is made if asked', (t) => {
  const names = setup();
  const { handle } = names.stat('f');
  t.like(names.open('f', read | create), { created: false, truncate: false });
  t.is(names.open('to-f', read | write).inode.handle, handle);
  fails(t, 'ENOENT', () => names.open('g', read));
  fails(t, 'ENOENT', () => names.open('dangling', write));
  const made = names.as(alice, () => names.open('g', write | create | truncate, 0o4600));
  t.like(made, { created: true, truncate: false });
  t.like(made.inode, { kind: 'file', mode: 0o4600, uid: alice.uid, size: 0 });
  t.is(names.stat('g').handle, made.inode.handle);
});

test('a new file may be opened for more than its mode gives', (t) => {
  const names = setup();
  names.as(alice, () => {
    t.true(names.open('g', read | write | create, 0o000).created);
    fails(t, 'EACCES', () => names.open('g', read | create));
  });
});

test('create goes through a symlink that leads nowhere, exclusive does not', (t) => {
  const names = setup();
  t.true(names.open('dangling', write | create).created);
  t.is(names.stat('d/new').kind, 'file');
  names.unlink('d/new');
  for (const path of ['f', 'd', 'to-f', 'dangling']) {
    fails(t, 'EEXIST', () => names.open(path, write | create | exclusive), path);
  }
  t.true(names.open('g', write | create | exclusive).created);
});

test('a directory is opened for reading only', (t) => {
  const names = setup();
  t.is(names.open('d', read).inode.kind, 'directory');
  t.is(names.open('to-d/', read | directory).inode.kind, 'directory');
  for (const flags of [write, read | truncate, read | create, write | create]) {
    fails(t, 'EISDIR', () => names.open('d', flags), String(flags));
  }
  fails(t, 'ENOTDIR', () => names.open('f', read | directory));
  fails(t, 'ENOTDIR', () => names.open('f/', read));
  for (const path of ['new/', 'f/', 'd/', 'to-f/']) {
    fails(t, 'EISDIR', () => names.open(path, write | create | exclusive), path);
  }
  fails(t, 'EISDIR', () => names.open('new/', write | create));
  fails(t, 'EISDIR', () => names.open('.', write | create));
  fails(t, 'EINVAL', () => names.open('d', read | create | directory));
});

test('noFollow refuses a symlink at the end', (t) => {
  const names = setup();
  fails(t, 'ELOOP', () => names.open('to-f', read | noFollow));
  fails(t, 'ELOOP', () => names.open('dangling', write | create | noFollow));
  fails(t, 'ENOTDIR', () => names.open('to-d', read | noFollow | directory));
  t.is(names.open('f', read | noFollow).inode.kind, 'file');
});

test('truncate wants the right to write, whatever it is opened for', (t) => {
  const names = setup();
  t.true(names.open('f', write | truncate | create).truncate);
  names.as(bob, () => {
    t.false(names.open('f', read).truncate);
    fails(t, 'EACCES', () => names.open('f', read | truncate));
    fails(t, 'EACCES', () => names.open('f', write));
  });
});

test('making needs a writable directory; what has no bytes is not opened', (t) => {
  const names = setup();
  names.as(alice, () => fails(t, 'EACCES', () => names.open('d/x', write | create)));
  names.call('makeNode', {
    at: at('fifo'),
    kind: 'fifo',
    mode: 0o666,
    device: 0,
    maker: undefined,
    lend: false,
  });
  fails(t, 'EOPNOTSUPP', () => names.open('fifo', read));
});

test('an open by handle needs no path', (t) => {
  const names = setup();
  const { handle } = names.stat('f');
  names.held.add(handle);
  names.unlink('f');
  const request = {
    at: at('', handle),
    flags: read,
    mode: 0,
    layout: anyLayout,
    maker: undefined,
    handle: undefined,
    near: undefined,
  };
  t.is(names.openRequest(request).inode.links, 0);
});
