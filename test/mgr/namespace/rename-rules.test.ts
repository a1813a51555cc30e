import test from 'ava';
import { limits } from '../../../shared/limits.ts';
import { renameFlags } from '../../../shared/wire/mgr-ops.ts';
import { alice, bob, fails, NameSpace } from '../name-space.ts';

const { noReplace, exchange } = renameFlags;

test('a name moves, within a directory and across, with what it leads to', (t) => {
  const names = new NameSpace();
  const { handle } = names.file('f');
  names.directory('d');
  names.rename('f', 'g');
  t.is(names.stat('g').handle, handle);
  names.rename('g', 'd/h');
  t.is(names.stat('d/h').handle, handle);
  t.deepEqual(names.names('/'), ['d']);
  fails(t, 'ENOENT', () => names.rename('g', 'x'));
  fails(t, 'ENOENT', () => names.rename('d/h', 'missing/x'));
});

test('a file replaces a file, a directory an empty directory, and nothing else', (t) => {
  const names = new NameSpace();
  for (const name of ['f', 'g']) names.file(name);
  for (const name of ['d', 'empty', 'full', 'full/x']) names.directory(name);
  fails(t, 'EISDIR', () => names.rename('f', 'empty'));
  fails(t, 'ENOTDIR', () => names.rename('d', 'f'));
  fails(t, 'ENOTEMPTY', () => names.rename('d', 'full'));
  const [f, d] = [names.stat('f').handle, names.stat('d').handle];
  names.rename('f', 'g');
  names.rename('d', 'empty');
  t.deepEqual(names.names('/'), ['empty', 'full', 'g']);
  t.deepEqual([names.stat('g').handle, names.stat('empty').handle], [f, d]);
  t.is(names.stat('/').links, 4);
});

test('two names of one file are left as they are', (t) => {
  const names = new NameSpace();
  names.file('f');
  names.link('f', 'g');
  names.rename('f', 'g');
  names.rename('f', 'f');
  t.deepEqual(names.names('/'), ['f', 'g']);
  t.is(names.stat('f').links, 2);
});

test('a directory does not go into itself nor over one that it is in', (t) => {
  const names = new NameSpace();
  for (const name of ['a', 'a/b', 'a/b/c', 'x']) names.directory(name);
  for (const to of ['a/x', 'a/b/x', 'a/b/c', 'a/b/c/x']) {
    fails(t, 'EINVAL', () => names.rename('a', to), to);
  }
  fails(t, 'ENOTEMPTY', () => names.rename('a/b', 'a'));
  fails(t, 'ENOTEMPTY', () => names.rename('a/b/c', 'a'));
  fails(t, 'EINVAL', () => names.rename('a/b/c', 'a', exchange));
  fails(t, 'EINVAL', () => names.rename('a', 'a/b/c', exchange));
  names.rename('a', 'x');
  t.is(names.stat('x/b/c').kind, 'directory');
});

test('. and .. and the root are busy; a slash wants a directory', (t) => {
  const names = new NameSpace();
  names.directory('d');
  names.file('f');
  for (const path of ['.', '..', '/', 'd/.', 'd/..', '']) {
    fails(t, 'EBUSY', () => names.rename(path, 'x'), path);
    fails(t, 'EBUSY', () => names.rename('d', path), path);
    fails(t, 'EEXIST', () => names.rename('d', path, noReplace), path);
  }
  fails(t, 'ENOTDIR', () => names.rename('f/', 'g'));
  fails(t, 'ENOTDIR', () => names.rename('f', 'g/'));
  names.rename('d/', 'e/');
  t.deepEqual(names.names('/'), ['e', 'f']);
});

test('a symlink is moved, not followed', (t) => {
  const names = new NameSpace();
  names.directory('d');
  names.symlink('l', 'd');
  names.rename('l', 'm');
  t.is(names.stat('m', false).kind, 'symlink');
  names.file('f');
  names.rename('f', 'm');
  t.deepEqual(names.names('/'), ['d', 'm']);
  t.is(names.stat('m', false).kind, 'file');
});

test('noReplace and exchange do what they say', (t) => {
  const names = new NameSpace();
  names.file('f');
  names.directory('d');
  names.directory('d/sub');
  names.directory('e');
  fails(t, 'EEXIST', () => names.rename('f', 'd', noReplace));
  names.rename('f', 'd/f', noReplace);
  fails(t, 'ENOENT', () => names.rename('e', 'missing', exchange));
  fails(t, 'EINVAL', () => names.rename('e', 'd', noReplace | exchange));
  fails(t, 'EINVAL', () => names.rename('e', 'd', 4));
  const [f, e] = [names.stat('d/f').handle, names.stat('e').handle];
  names.rename('d/f', 'e', exchange);
  t.deepEqual([names.stat('e').handle, names.stat('d/f').handle], [f, e]);
  t.is(names.stat('d/f/..').handle, names.stat('d').handle);
  t.is(names.stat('d').links, 4);
  t.is(names.stat('/').links, 3);
  names.rename('d', 'e', exchange);
  t.is(names.stat('e').kind, 'directory');
  t.is(names.stat('/').links, 3);
});

test('both directories must be writable, and so must a directory whose .. changes', (t) => {
  const names = new NameSpace();
  names.directory('mine', 0o777);
  names.directory('theirs', 0o755);
  names.as(alice, () => {
    names.file('mine/f');
    names.directory('mine/d', 0o555);
    names.directory('mine/e', 0o755);
    fails(t, 'EACCES', () => names.rename('mine/f', 'theirs/f'));
    fails(t, 'EACCES', () => names.rename('mine/d', 'mine/e/d'));
    names.rename('mine/d', 'mine/g');
  });
  names.as(bob, () => fails(t, 'EACCES', () => names.rename('mine/e', '/e')));
  names.directory('drop', 0o1777);
  names.as(alice, () => names.file('drop/a'));
  names.as(bob, () => {
    names.file('drop/b');
    fails(t, 'EPERM', () => names.rename('drop/a', 'drop/c'));
    fails(t, 'EPERM', () => names.rename('drop/b', 'drop/a'));
    fails(t, 'EPERM', () => names.rename('drop/b', 'drop/a', exchange));
    names.rename('drop/b', 'drop/c');
  });
});

test('times and link counts follow a move', (t) => {
  const names = new NameSpace();
  for (const name of ['a', 'b', 'a/d']) names.directory(name);
  const { modified } = names.stat('a/d');
  names.tick();
  names.rename('a/d', 'b/d');
  for (const path of ['a', 'b']) {
    t.deepEqual([names.stat(path).modified, names.stat(path).changed], [names.now, names.now]);
  }
  t.deepEqual([names.stat('a').links, names.stat('b').links], [2, 3]);
  t.deepEqual(names.stat('b/d').modified, modified);
  t.deepEqual(names.stat('b/d').changed, names.now);
  t.is(names.stat('b/d/..').handle, names.stat('b').handle);
});

test('a directory with as many links as there can be takes no more', (t) => {
  const names = new NameSpace();
  const full = names.directory('full').handle;
  const inode = names.view.inode(full);
  if (inode !== undefined) names.view.putInode({ ...inode, links: limits.linksMax });
  names.directory('d');
  names.file('full/f');
  fails(t, 'EMLINK', () => names.directory('full/d'));
  fails(t, 'EMLINK', () => names.rename('d', 'full/d'));
  fails(t, 'EMLINK', () => names.rename('d', 'full/f', exchange));
  fails(t, 'EMLINK', () => names.rename('full/f', 'd', exchange));
});

test('a file that is replaced goes as with unlink', (t) => {
  const names = new NameSpace();
  const [kept, gone] = [names.file('kept').handle, names.file('gone').handle];
  for (const name of ['a', 'b']) names.file(name);
  names.held.add(kept);
  names.rename('a', 'kept');
  names.rename('b', 'gone');
  t.is(names.view.inode(kept)?.links, 0);
  t.is(names.view.inode(gone), undefined);
  names.commit();
  t.is(names.store.pendingCount(), 4);
});

test('a listing that goes on meanwhile neither misses nor repeats what is renamed', (t) => {
  const names = new NameSpace();
  const [a, b] = [names.file('a'), names.file('b')];
  names.file('c');
  const before = names.entries(1 as never).map(({ cookie }) => cookie);
  names.rename('a', 'z');
  names.rename('z', 'b');
  names.rename('b', 'c', exchange);
  const after = names.entries(1 as never);
  t.deepEqual(
    after.map(({ name }) => String(name)),
    ['b', 'c'],
  );
  t.deepEqual(
    after.map(({ cookie }) => cookie),
    before.slice(1),
  );
  t.is(after[1]?.handle, a.handle);
  t.is(names.view.inode(b.handle), undefined);
});
