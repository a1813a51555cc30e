import test from 'ava';
import { removeInode, truncateFile } from '../../../mgr/ops/file-bytes.ts';
import { localLength } from '../../../shared/stripe.ts';
import type { Handle, IodIndex } from '../../../shared/units.ts';
import { alice, anyLayout, at, bob, fails, NameSpace } from '../name-space.ts';
import { openFlags } from '../../../shared/wire/mgr-ops.ts';

const iods = [0, 1, 2, 3] as IodIndex[];

function pending(names: NameSpace) {
  const rows = iods.flatMap((iod) => names.store.pending(iod, 0 as Handle, 100));
  return rows.map(({ handle, iod, kind, length }) => ({ handle, iod, kind, length }));
}

test('the last name of a file nobody holds takes it away, and leaves a removal for each iod', (t) => {
  const names = new NameSpace();
  const wish = { ...anyLayout, base: 3, pcount: 2 };
  const { handle } = names.open('f', openFlags.create | openFlags.write, 0o644, wish).inode;
  names.link('f', 'g');
  names.unlink('f');
  names.commit();
  t.is(names.store.pendingCount(), 0);
  names.unlink('g');
  names.commit();
  names.reopen();
  t.is(names.store.inode(handle), undefined);
  t.deepEqual(pending(names), [
    { handle, iod: 0 as IodIndex, kind: 'remove', length: 0 },
    { handle, iod: 3 as IodIndex, kind: 'remove', length: 0 },
  ]);
  t.is(names.store.fileCount(), 0);
});

test('a file that is held outlives its last name, also a crash, until it is removed', (t) => {
  const names = new NameSpace();
  const { handle } = names.file('f');
  names.held.add(handle);
  names.unlink('f');
  names.commit();
  names.reopen();
  t.deepEqual(
    names.store.orphans(0 as Handle, 10).map((inode) => inode.handle),
    [handle],
  );
  t.is(names.store.pendingCount(), 0);
  const orphan = names.view.inode(handle);
  if (orphan !== undefined) removeInode(names.view, orphan);
  names.commit();
  t.deepEqual([names.store.orphans(0 as Handle, 10).length, names.store.pendingCount()], [0, 4]);
});

test('what has no bytes leaves nothing to be removed', (t) => {
  const names = new NameSpace();
  names.symlink('l', 'x');
  names.call('makeNode', {
    at: at('p'),
    kind: 'fifo',
    mode: 0o600,
    device: 0,
    maker: undefined,
    lend: false,
  });
  names.unlink('l');
  names.unlink('p');
  names.commit();
  t.is(names.store.pendingCount(), 0);
});

test('a size is stored together with a truncation for each iod, to its share of the size', (t) => {
  const names = new NameSpace();
  const { handle, layout } = names.file('f');
  const size = 3 * 262_144 + 5;
  names.tick();
  t.like(names.change('f', { size }), { size, modified: names.now, changed: names.now });
  names.commit();
  names.reopen();
  t.is(names.stat('f').size, size);
  const rows = pending(names);
  t.is(rows.length, 4);
  for (const row of rows) {
    t.like(row, { handle, kind: 'truncate' });
    const column = (row.iod - (layout?.base ?? 0) + 4) % 4;
    if (layout !== undefined) t.is(row.length, localLength(layout, column, size));
  }
});

test('a later truncation and a removal replace the truncation before', (t) => {
  const names = new NameSpace();
  names.file('f');
  names.change('f', { size: 1000 });
  names.commit();
  names.change('f', { size: 0 });
  names.commit();
  t.deepEqual(
    pending(names).map(({ kind, length }) => [kind, length]),
    iods.map(() => ['truncate', 0]),
  );
  names.change('f', { size: 7 });
  names.unlink('f');
  names.commit();
  t.deepEqual(
    pending(names).map(({ kind }) => kind),
    iods.map(() => 'remove'),
  );
});

test('a truncation needs the right to write, or the file open for writing', (t) => {
  const names = new NameSpace();
  const { handle } = names.as(alice, () => names.file('f', 0o4444));
  names.directory('d');
  names.symlink('l', 'f');
  fails(t, 'EISDIR', () => names.change('d', { size: 0 }));
  fails(t, 'EINVAL', () => names.change('l', { size: 0 }, false));
  names.as(alice, () => {
    fails(t, 'EACCES', () => names.change('f', { size: 0 }));
    names.writing.add(handle);
    fails(t, 'EACCES', () => names.change('f', { size: 0 }), 'by path the mode counts');
    const { attr } = names.call('setAttr', {
      at: at('', handle),
      follow: true,
      size: 0,
      mode: undefined,
      uid: undefined,
      gid: undefined,
      accessed: undefined,
      modified: undefined,
    });
    t.is(attr.mode, 0o444, 'suid goes');
  });
  names.writing.clear();
  names.as(bob, () => fails(t, 'EACCES', () => names.change('f', { size: 0 })));
});

test('open with truncate uses the same path', (t) => {
  const names = new NameSpace();
  const { handle } = names.file('f');
  names.change('f', { size: 10 });
  const inode = names.view.inode(handle);
  t.is(inode && truncateFile(names.context(), inode, 0).size, 0);
  t.is(names.stat('f').size, 0);
});
