import test from 'ava';
import { limits } from '../../../shared/limits.ts';
import { type ByteString, rootHandle } from '../../../shared/units.ts';
import { nameOps } from '../../../shared/wire/mgr-ops.ts';
import { encode } from '../../../shared/wire/codec.ts';
import { alice, at, fails, NameSpace } from '../name-space.ts';

function page(names: NameSpace, path: string, after = 0, count = 1024, attributes = false) {
  return names.call('readDirectory', { at: at(path), after, count, attributes });
}

test('a page tells the directory, where .. leads, and its entries with attributes if wished', (t) => {
  const names = new NameSpace();
  names.directory('d');
  names.file('d/f');
  names.symlink('d/l', '..');
  const plain = page(names, 'd');
  t.is(plain.directory.handle, names.stat('d').handle);
  t.is(plain.parent, rootHandle);
  t.deepEqual(
    plain.entries.map(({ name, kind, attr }) => [name, kind, attr]),
    [
      ['f' as ByteString, 'file', undefined],
      ['l' as ByteString, 'symlink', undefined],
    ],
  );
  t.true(plain.done);
  const rich = page(names, 'd/l/d', 0, 10, true);
  t.deepEqual(rich.entries[1]?.attr, names.stat('d/l', false));
  t.is(page(names, '/').parent, rootHandle);
});

test('listing needs a directory and the right to read, attributes the right to search too', (t) => {
  const names = new NameSpace();
  names.directory('d', 0o754);
  names.file('d/f');
  fails(t, 'ENOTDIR', () => page(names, 'd/f'));
  fails(t, 'ENOENT', () => page(names, 'x'));
  names.as(alice, () => t.is(page(names, 'd', 0, 10, true).entries[0]?.attr, undefined));
  names.change('d', { mode: 0o711 });
  names.as(alice, () => fails(t, 'EACCES', () => page(names, 'd')));
});

test('a page fits in a message however long its names are', (t) => {
  const names = new NameSpace();
  names.directory('d');
  for (let i = 0; i < 1500; i++) names.file(`d/${String(i).padStart(limits.nameBytesMax, 'x')}`);
  for (const attributes of [false, true]) {
    let [after, seen] = [0, 0];
    for (let done = false; !done;) {
      const reply = page(names, 'd', after, 0xffff, attributes);
      t.true(encode(nameOps.readDirectory.reply, reply).length <= limits.bodyBytesMax - 256);
      t.true(reply.entries.length <= limits.direntsPerPageMax);
      t.true(reply.done || reply.entries.length > 100);
      seen += reply.entries.length;
      after = reply.entries.at(-1)?.cookie ?? after;
      ({ done } = reply);
    }
    t.is(seen, 1500);
  }
});

test('200 000 entries are listed once each while others come and go', (t) => {
  const names = new NameSpace();
  const { handle } = names.directory('d');
  const stay = 200_000;
  const { now } = names;
  const template = names.file('d/template');
  names.unlink('d/template');
  const none = { target: undefined, parent: undefined, defaults: undefined };
  const inode = { ...template, ...none, mayHaveHoles: false };
  const put = (name: string): void => {
    const { view } = names;
    const file = view.allocateHandle();
    view.addInode({ ...inode, handle: file, modified: now });
    view.putDirent({
      parent: handle,
      name: name as ByteString,
      handle: file,
      kind: 'file',
      cookie: view.nextCookie(),
    });
  };
  for (let i = 0; i < stay; i++) {
    put(`stay-${i}`);
    if (i % 4 === 0) put(`go-${i}`);
    if (i % 1000 === 0) names.commit();
  }
  names.commit();
  const seen = new Set<string>();
  const cookies: number[] = [];
  let [after, turn] = [0, 0];
  for (let done = false; !done; turn++) {
    const reply = page(names, 'd', after, 1000);
    for (const { name, cookie } of reply.entries) {
      t.false(seen.has(name));
      seen.add(name);
      cookies.push(cookie);
      if (name.startsWith('go-')) names.view.deleteDirent(handle, name);
    }
    for (let i = 0; i < 10; i++) {
      names.view.deleteDirent(handle, `go-${stay - 4 * (turn * 10 + i + 1)}` as ByteString);
      put(`come-${turn}-${i}`);
    }
    if (turn % 3 === 0) names.commit();
    if (turn === 50) names.reopen();
    after = reply.entries.at(-1)?.cookie ?? after;
    // What comes lands behind the end: stop it, or the listing goes on as long as they come.
    done = reply.done || turn > 400;
  }
  const stayed = [...seen].filter((name) => name.startsWith('stay-'));
  t.is(stayed.length, stay);
  t.deepEqual(
    cookies,
    cookies.toSorted((a, b) => a - b),
  );
});
