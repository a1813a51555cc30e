import test from 'ava';
import { limits } from '../../../shared/limits.ts';
import type { ByteString, Handle } from '../../../shared/units.ts';
import type { InodeKind } from '../../../shared/wire/values.ts';
import { alice, anyLayout, at, bob, fails, NameSpace } from '../name-space.ts';

const sorts = ['.', '..', '/', 'd/.', 'd/..'];

test('what is made belongs to its maker and is stamped with one time', (t) => {
  const names = new NameSpace();
  names.who = alice;
  names.tick();
  for (const kind of ['file', 'directory', 'fifo', 'socket'] as InodeKind[]) {
    const { attr } = names.call('makeNode', {
      at: at(kind),
      kind,
      mode: 0o7640,
      device: 9,
      maker: undefined,
      lend: false,
    });
    t.like(attr, { kind, uid: alice.uid, gid: alice.gid, device: 0, size: 0, sizeExact: true });
    t.is(attr.mode, kind === 'directory' ? 0o1640 : 0o7640);
    t.is(attr.links, kind === 'directory' ? 2 : 1);
    for (const time of [attr.accessed, attr.modified, attr.changed, attr.born])
      t.deepEqual(time, names.now);
  }
  t.deepEqual(names.stat('/').modified, names.now);
  t.deepEqual(names.stat('/').changed, names.now);
  t.is(names.stat('/').links, 3);
});

test('what is made needs a free name in a writable directory', (t) => {
  const names = new NameSpace();
  names.directory('d');
  names.file('f');
  names.symlink('dangling', 'nothing');
  for (const path of ['d', 'f', 'dangling', ...sorts]) {
    fails(t, 'EEXIST', () => names.directory(path), path);
    fails(t, 'EEXIST', () => names.file(path), path);
    fails(t, 'EEXIST', () => names.symlink(path, 'x'), path);
    fails(t, 'EEXIST', () => names.link('f', path), path);
  }
  fails(t, 'ENOENT', () => names.file('x/'));
  fails(t, 'ENOENT', () => names.symlink('x/', 'y'));
  fails(t, 'ENOENT', () => names.link('f', 'x/'));
  fails(t, 'ENOENT', () => names.directory(''));
  fails(t, 'ENOENT', () => names.file('missing/x'));
  fails(t, 'ENOTDIR', () => names.file('f/x'));
  names.directory('slash/');
  names.as(alice, () => {
    fails(t, 'EACCES', () => names.file('d/x'));
    fails(t, 'EACCES', () => names.directory('d/x'));
    fails(t, 'EACCES', () => names.symlink('d/x', 'y'));
    fails(t, 'EACCES', () => names.link('f', 'd/x'));
  });
  t.deepEqual(names.names('/'), ['d', 'dangling', 'f', 'slash']);
});

test('only root makes devices, and a symlink is made with its target', (t) => {
  const names = new NameSpace();
  const device = {
    at: at('dev'),
    kind: 'block',
    mode: 0o600,
    device: 0x801,
    maker: undefined,
    lend: false,
  } as const;
  names.as(alice, () => fails(t, 'EPERM', () => names.call('makeNode', device)));
  t.is(names.call('makeNode', device).attr.device, 0x801);
  fails(t, 'EINVAL', () => names.call('makeNode', { ...device, at: at('l'), kind: 'symlink' }));
});

test('a directory that is full of directories takes files only', (t) => {
  const names = new NameSpace();
  const inode = names.view.inode(1 as Handle);
  if (inode !== undefined) names.view.putInode({ ...inode, links: limits.linksMax });
  fails(t, 'EMLINK', () => names.directory('d'));
  t.is(names.file('f').kind, 'file');
});

test('a symlink keeps its target byte for byte', (t) => {
  const names = new NameSpace();
  const target = '\x80\xff/../x' as ByteString;
  const { attr } = names.call('symlink', { at: at('l'), target, maker: undefined });
  t.like(attr, { kind: 'symlink', mode: 0o777, size: target.length });
  t.is(names.call('readLink', { at: at('l') }).target, target);
  names.file('f');
  fails(t, 'EINVAL', () => names.call('readLink', { at: at('f') }));
  fails(t, 'ENOENT', () => names.symlink('m', ''));
  fails(t, 'EINVAL', () => names.symlink('m', 'a\0b'));
});

test('a file has many names, a directory one', (t) => {
  const names = new NameSpace();
  const { handle } = names.file('f');
  names.directory('d');
  names.symlink('s', 'f');
  names.tick();
  t.like(names.link('f', 'd/g'), { handle, links: 2, changed: names.now });
  t.deepEqual(names.stat('d').modified, names.now);
  t.is(names.link('s', 'd/s').kind, 'symlink');
  t.is(names.link('s', 'd/h', true).links, 3);
  fails(t, 'EPERM', () => names.link('d', 'e'));
  fails(t, 'ENOENT', () => names.link('missing', 'e'));
  names.unlink('f');
  t.like(names.stat('d/g'), { handle, links: 2, changed: names.now });
});

test('a file has at most so many names, and one without a name gets no new one', (t) => {
  const names = new NameSpace();
  const { handle } = names.file('f');
  const inode = names.view.inode(handle);
  if (inode !== undefined) names.view.putInode({ ...inode, links: limits.linksMax });
  fails(t, 'EMLINK', () => names.link('f', 'g'));
  const orphan = names.file('orphan').handle;
  names.held.add(orphan);
  names.unlink('orphan');
  fails(t, 'ENOENT', () => names.call('link', { from: at('', orphan), to: at('g'), follow: true }));
});

test('unlink is for all but directories', (t) => {
  const names = new NameSpace();
  names.directory('d');
  names.file('f');
  names.symlink('l', 'd');
  fails(t, 'EISDIR', () => names.unlink('d'));
  fails(t, 'EISDIR', () => names.unlink('d/'));
  for (const path of sorts) fails(t, 'EISDIR', () => names.unlink(path), path);
  fails(t, 'ENOTDIR', () => names.unlink('f/'));
  fails(t, 'ENOTDIR', () => names.unlink('l/'));
  fails(t, 'ENOENT', () => names.unlink('missing'));
  names.tick();
  names.unlink('l');
  names.unlink('f');
  t.deepEqual(names.names('/'), ['d']);
  t.deepEqual(names.stat('/').modified, names.now);
});

test('removing a directory wants it empty and named plainly', (t) => {
  const names = new NameSpace();
  for (const path of ['d', 'd/e']) names.directory(path);
  names.file('f');
  names.symlink('l', 'd/e');
  fails(t, 'ENOTEMPTY', () => names.removeDirectory('d'));
  fails(t, 'EINVAL', () => names.removeDirectory('d/.'));
  fails(t, 'ENOTEMPTY', () => names.removeDirectory('d/..'));
  fails(t, 'EBUSY', () => names.removeDirectory('/'));
  fails(t, 'ENOTDIR', () => names.removeDirectory('f'));
  fails(t, 'ENOTDIR', () => names.removeDirectory('l'));
  fails(t, 'ENOTDIR', () => names.removeDirectory('l/'));
  fails(t, 'ENOENT', () => names.removeDirectory('missing'));
  names.commit();
  names.removeDirectory('d/e/');
  t.is(names.stat('d').links, 2);
  names.removeDirectory('d');
  t.is(names.stat('/').links, 2);
  t.deepEqual(names.names('/'), ['f', 'l']);
});

test('names are removed by who may write the directory, in a sticky one by the owner', (t) => {
  const names = new NameSpace();
  names.directory('d');
  names.file('d/f');
  names.directory('d/e');
  names.directory('tmp', 0o1777);
  names.as(alice, () => {
    names.file('tmp/a');
    names.directory('tmp/b');
    fails(t, 'EACCES', () => names.unlink('d/f'));
    fails(t, 'EACCES', () => names.removeDirectory('d/e'));
  });
  names.as(bob, () => {
    fails(t, 'EPERM', () => names.unlink('tmp/a'));
    fails(t, 'EPERM', () => names.removeDirectory('tmp/b'));
  });
  names.as(alice, () => names.unlink('tmp/a'));
});

test('attributes change together or not at all', (t) => {
  const names = new NameSpace();
  names.as(alice, () => names.file('f', 0o4755));
  names.tick();
  names.as(alice, () => {
    t.like(names.change('f', { mode: 0o600, gid: 100 }), {
      mode: 0o600,
      gid: 100,
      changed: names.now,
    });
    const before = names.stat('f');
    fails(t, 'EPERM', () => names.change('f', { mode: 0o777, uid: 5 }));
    fails(t, 'EPERM', () => names.change('f', { size: 10, uid: 5 }));
    t.deepEqual(names.stat('f'), before);
  });
  names.commit();
  t.is(names.store.pendingCount(), 0);
  names.as(bob, () => {
    for (const change of [{ mode: 0o777 }, { uid: bob.uid }, { gid: bob.gid }]) {
      fails(t, 'EPERM', () => names.change('f', change));
    }
    fails(t, 'EACCES', () => names.change('f', { size: 0 }));
  });
});

test('a change of owner takes suid and sgid away', (t) => {
  const names = new NameSpace();
  names.file('f', 0o6755);
  t.like(names.change('f', { uid: 7, gid: 8 }), { uid: 7, gid: 8, mode: 0o755 });
  t.is(names.change('f', { mode: 0o6755 }).mode, 0o6755);
  names.change('f', { uid: alice.uid, mode: 0o6711 });
  t.is(names.as(alice, () => names.change('f', { mode: 0o6755 })).mode, 0o4755, 'not in group 8');
});

test('times are set to given ones, to now, or left alone', (t) => {
  const names = new NameSpace();
  names.as(alice, () => names.file('f', 0o666));
  const then = { seconds: -5, nanoseconds: 6 };
  const { modified } = names.stat('f');
  names.tick();
  const given = { now: false, at: then };
  const attr = names.as(alice, () => names.change('f', { accessed: given }));
  t.deepEqual([attr.accessed, attr.modified, attr.changed], [then, modified, names.now]);
  names.as(bob, () => {
    fails(t, 'EPERM', () => names.change('f', { accessed: given }));
    fails(t, 'EPERM', () =>
      names.change('f', { accessed: { now: true, at: then }, modified: given }),
    );
    const attr = names.change('f', { modified: { now: true, at: then } });
    t.deepEqual([attr.accessed, attr.modified], [then, names.now]);
  });
  names.change('f', { mode: 0o600 });
  names.as(bob, () =>
    fails(t, 'EACCES', () => names.change('f', { modified: { now: true, at: then } })),
  );
});

test('attributes of a symlink are its own unless it is followed', (t) => {
  const names = new NameSpace();
  names.file('f');
  names.symlink('l', 'f');
  names.change('l', { uid: 5 }, false);
  t.deepEqual([names.stat('l', false).uid, names.stat('f').uid], [5, 0]);
  names.change('l', { uid: 6 });
  t.deepEqual([names.stat('l', false).uid, names.stat('f').uid], [5, 6]);
});

test('attributes of a handle are told while it exists', (t) => {
  const names = new NameSpace();
  const { handle } = names.file('f');
  t.is(names.call('getAttr', { handle }).attr.handle, handle);
  names.unlink('f');
  fails(t, 'ESTALE', () => names.call('getAttr', { handle }));
});

test('access is asked for oneself, and follows symlinks', (t) => {
  const names = new NameSpace();
  names.file('f', 0o640);
  names.symlink('l', 'f');
  const access = (path: string, mask: number) => names.call('access', { at: at(path), mask });
  t.notThrows(() => access('l', 6));
  fails(t, 'EACCES', () => access('f', 1));
  fails(t, 'ENOENT', () => access('missing', 0));
  fails(t, 'EINVAL', () => access('f', 8));
  names.as(alice, () => {
    t.notThrows(() => access('l', 0));
    fails(t, 'EACCES', () => access('l', 4));
  });
});

test('extended attributes are set, replaced, listed and removed, and go with the file', (t) => {
  const names = new NameSpace();
  const { handle } = names.file('f');
  const name = 'user.colour' as ByteString;
  const set = (value: string, flags: { mustExist?: boolean; mustNotExist?: boolean } = {}) =>
    names.call('setXattr', {
      at: at('f'),
      follow: true,
      name,
      value: Buffer.from(value),
      mustExist: false,
      mustNotExist: false,
      ...flags,
    });
  const get = () =>
    Buffer.from(names.call('getXattr', { at: at('f'), follow: true, name }).value).toString();
  fails(t, 'ENODATA', get);
  fails(t, 'ENODATA', () => set('x', { mustExist: true }));
  names.tick();
  set('red', { mustNotExist: true });
  t.deepEqual(names.stat('f').changed, names.now);
  fails(t, 'EEXIST', () => set('x', { mustNotExist: true }));
  set('blue', { mustExist: true });
  t.is(get(), 'blue');
  names.commit();
  names.reopen();
  t.is(get(), 'blue');
  t.deepEqual(names.call('listXattrs', { at: at('f'), follow: true }).names, [name]);
  names.call('removeXattr', { at: at('f'), follow: true, name });
  fails(t, 'ENODATA', () => names.call('removeXattr', { at: at('f'), follow: true, name }));
  set('green');
  names.unlink('f');
  names.commit();
  t.deepEqual(names.store.xattrNames(handle), []);
});

test('extended attributes have classes, rights and a bound', (t) => {
  const names = new NameSpace();
  names.as(alice, () => {
    names.file('f', 0o600);
    names.directory('tmp', 0o1777);
  });
  names.symlink('l', 'f');
  const set = (path: string, name: string, follow = true) =>
    names.call('setXattr', {
      at: at(path),
      follow,
      name: name as ByteString,
      value: Buffer.alloc(1),
      mustExist: false,
      mustNotExist: false,
    });
  const get = (path: string, name: string) =>
    names.call('getXattr', { at: at(path), follow: true, name: name as ByteString });
  set('f', 'trusted.a');
  set('f', 'security.a');
  fails(t, 'EPERM', () => set('l', 'user.a', false));
  for (const name of ['system.posix_acl_access', 'plain', 'user.', '']) {
    fails(t, 'EOPNOTSUPP', () => set('f', name), name);
    fails(t, 'EOPNOTSUPP', () => get('f', name), name);
  }
  names.as(alice, () => {
    set('f', 'user.a');
    fails(t, 'EPERM', () => set('f', 'trusted.a'));
    fails(t, 'ENODATA', () => get('f', 'trusted.a'));
    t.is(get('f', 'security.a').value.length, 1);
    const { names: listed } = names.call('listXattrs', { at: at('f'), follow: true });
    t.deepEqual(listed, ['security.a', 'user.a'] as ByteString[]);
  });
  names.as(bob, () => {
    fails(t, 'EACCES', () => set('f', 'user.b'));
    fails(t, 'EACCES', () => get('f', 'user.a'));
    fails(t, 'EPERM', () => set('tmp', 'user.b'));
  });
  for (let i = 3; i < limits.xattrsPerFileMax; i++) set('f', `user.${i}`);
  fails(t, 'ENOSPC', () => set('f', 'user.more'));
  t.notThrows(() => set('f', 'user.a'));
});

test('defaults are for the owner of a directory to set, and outlive a restart', (t) => {
  const names = new NameSpace();
  names.as(alice, () => names.directory('d'));
  names.file('f');
  const layout = { ...anyLayout, pcount: 2 };
  const set = (path: string) =>
    names.call('setDefaults', { at: at(path), layout, retentionSeconds: 60 });
  fails(t, 'ENOTDIR', () => set('f'));
  names.as(bob, () => fails(t, 'EPERM', () => set('d')));
  names.as(alice, () => set('d'));
  names.commit();
  names.reopen();
  const defaults = names.view.inode(names.stat('d').handle)?.defaults;
  t.deepEqual(defaults, { layout, retentionSeconds: 60 });
});
