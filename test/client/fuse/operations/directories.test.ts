import test from 'ava';
import * as fc from 'fast-check';
import { encodeEntries } from '../../../../client/fuse/operations/directories.ts';
import { direntHead } from '../../../../client/fuse/protocol.ts';
import type { ByteString } from '../../../../shared/units.ts';

const names = fc.array(fc.string({ minLength: 1, maxLength: 255, unit: 'binary-ascii' }));

test('as many entries as fit are there again, in order, each at a multiple of 8', (t) => {
  fc.assert(
    fc.property(names, fc.nat(4096), (all, room) => {
      const entries = all.map((name, i) => ({
        name: name as ByteString,
        ino: i + 1,
        next: i + 3,
        type: 8,
      }));
      const bytes = Buffer.concat(encodeEntries(entries, room));
      t.true(bytes.length <= room);
      let at = 0;
      let count = 0;
      for (; at < bytes.length; count++) {
        const { ino, next, nameBytes } = direntHead.read(bytes, at);
        const name = bytes.toString('latin1', at + 24, at + 24 + nameBytes);
        t.deepEqual(
          { name, ino, next },
          { name: all[count] ?? '', ino: count + 1, next: count + 3 },
        );
        at += 24 + Math.ceil(nameBytes / 8) * 8;
      }
      const following = all[count];
      if (following !== undefined) {
        t.true(at + 24 + Math.ceil(following.length / 8) * 8 > room, 'no more would have fitted');
      }
    }),
  );
});
