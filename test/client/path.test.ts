import test from 'ava';
import * as fc from 'fast-check';
import { pathBytes, placeOf, shownPath } from '../../client/path.ts';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { displayText, rootHandle } from '../../shared/units.ts';

const refused = (code: string) => ({ instanceOf: FsError, code });

test('text is taken as its UTF-8 bytes, and bytes as they are', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }), (path) => {
      fc.pre(!path.includes('\0'));
      t.is(displayText(pathBytes(path)), path);
      t.is(pathBytes(Buffer.from(path)), pathBytes(path));
    }),
  );
  const bytes = fc.uint8Array({ min: 1, minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(bytes, fc.nat(10), (name, offset) => {
      const within = new Uint8Array(name.length + offset);
      within.set(name, offset);
      const path = pathBytes(within.subarray(offset));
      t.deepEqual(Buffer.from(path, 'latin1'), Buffer.from(name));
    }),
  );
});

test('what can be no path is refused with the errno of POSIX', (t) => {
  t.throws(() => pathBytes(''), refused('ENOENT'));
  t.throws(() => pathBytes('a\0b'), refused('EINVAL'));
  t.throws(() => pathBytes(Buffer.from([97, 0])), refused('EINVAL'));
  for (const wrong of [null, undefined, 7, {}, ['a']]) {
    t.throws(() => pathBytes(wrong as string), refused('EINVAL'));
  }
  const longest = 'é'.repeat(limits.pathBytesMax / 2);
  t.is(pathBytes(longest).length, limits.pathBytesMax);
  t.throws(() => pathBytes(`${longest}x`), refused('ENAMETOOLONG'));
});

test('every path begins at the root of the file system', (t) => {
  t.deepEqual(placeOf('a/b'), { directory: rootHandle, path: pathBytes('a/b') });
});

test('a path is shown as it was given, as far as it is text', (t) => {
  t.is(shownPath('/ä'), '/ä');
  t.is(shownPath(Buffer.from('/ä')), '/ä');
  t.is(shownPath(Buffer.from([0x2f, 0xff])), '/\ufffd');
});
