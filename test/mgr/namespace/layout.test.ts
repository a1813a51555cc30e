import test from 'ava';
import { limits } from '../../../shared/limits.ts';
import type { Handle } from '../../../shared/units.ts';
import { anyLayout, at, fails, NameSpace } from '../name-space.ts';
import type { LayoutWish } from '../../../shared/wire/values.ts';
import { openFlags } from '../../../shared/wire/mgr-ops.ts';

const create = openFlags.create | openFlags.write;

test('new files use all iods and begin on each in turn', (t) => {
  const names = new NameSpace();
  const layouts = ['a', 'b', 'c', 'd', 'e'].map((name) => names.open(name, create).inode.layout);
  for (const layout of layouts) {
    t.like(layout, { pcount: 4, ssize: limits.stripeBytesDefault, total: 4 });
  }
  t.is(new Set(layouts.slice(0, 4).map((layout) => layout?.base)).size, 4);
  t.is(layouts[4]?.base, layouts[0]?.base);
});

test('the call decides before the directory, the nearest directory before the others', (t) => {
  const names = new NameSpace();
  names.directory('a');
  names.directory('a/b');
  names.directory('a/b/c');
  const set = (path: string, words: Partial<LayoutWish>): void => {
    names.call('setDefaults', {
      at: at(path),
      layout: { ...anyLayout, ...words },
      retentionSeconds: undefined,
    });
  };
  set('a', { base: 3, pcount: 2, ssize: 65_536 });
  set('a/b', { pcount: 1 });
  const made = names.open('a/b/c/f', create).inode.layout;
  t.deepEqual(made, { base: 3, pcount: 1, ssize: 65_536, total: 4 });
  const called = names.open('a/b/c/g', create, 0o644, { ...anyLayout, ssize: 8192 }).inode.layout;
  t.deepEqual(called, { base: 3, pcount: 1, ssize: 8192, total: 4 });
  t.like(names.file('a/b/node').layout, { base: 3, pcount: 1 });
  t.is(names.directory('a/b/d').layout, undefined);
});

test('a layout keeps the number of iods it was made with; new ones get the new number', (t) => {
  const names = new NameSpace();
  names.file('old');
  names.iodTotal = 6;
  names.file('new');
  t.is(names.stat('old').layout?.total, 4);
  t.like(names.stat('new').layout, { total: 6, pcount: 6 });
});

test('an impossible layout is refused and nothing is made', (t) => {
  const names = new NameSpace();
  for (const words of [{ base: 4 }, { pcount: 5 }, { pcount: 0 }, { ssize: 1 }]) {
    const wish = { ...anyLayout, ...words };
    fails(t, 'EINVAL', () => names.open('f', create, 0o644, wish));
    fails(t, 'EINVAL', () =>
      names.call('setDefaults', { at: at('/'), layout: wish, retentionSeconds: undefined }),
    );
  }
  t.deepEqual(names.names('/'), []);
});

test('a file that is perhaps a copy begins where the other does, if nobody says otherwise', (t) => {
  const names = new NameSpace();
  names.directory('wide');
  names.directory('own');
  names.directory('narrow');
  const set = (path: string, words: Partial<LayoutWish>): void => {
    const layout = { ...anyLayout, ...words };
    names.call('setDefaults', { at: at(path), layout, retentionSeconds: undefined });
  };
  set('own', { base: 1 });
  set('narrow', { pcount: 2 });
  const other = names.open('other', create, 0o644, { ...anyLayout, base: 2 }).inode;
  const base = (path: string, near: Handle | undefined = other.handle) => {
    const made = { mode: 0o644, layout: anyLayout, maker: undefined, handle: undefined };
    const { handle, layout } = names.openRequest({
      ...made,
      at: at(path),
      flags: create,
      near,
    }).inode;
    return { base: layout?.base, turn: handle % 4 };
  };
  for (let i = 0; i < 4; i++) t.is(base(`wide/${i}`).base, 2);
  t.is(base('own/f').base, 1);
  for (const near of [other.handle, 999_999 as Handle]) {
    const directory = near === other.handle ? 'narrow' : 'wide';
    for (let i = 0; i < 4; i++) {
      const made = base(`${directory}/x${i}`, near);
      t.is(made.base, made.turn, 'as any other');
    }
  }
});
