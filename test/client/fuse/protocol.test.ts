import test from 'ava';
import * as fc from 'fast-check';
import {
  direntHead,
  entryReply,
  fileAttr,
  forgetOne,
  groupsOf,
  operations,
  replyHeader,
  revokedInode,
  requestHeader,
  sessionOperations,
} from '../../../client/fuse/protocol.ts';

/** Blanks part the fields. */
function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

const all = { ...operations, ...sessionOperations };

test('no code is used twice', (t) => {
  const codes = Object.values(all).map(({ code }) => code);
  t.is(new Set(codes).size, codes.length);
});

test('every structure has the size that linux/fuse.h gives it', (t) => {
  const sizes: Readonly<Record<keyof typeof all, readonly [number, number | 'bytes']>> = {
    lookup: [0, 128],
    getAttr: [16, 104],
    setAttr: [88, 104],
    readLink: [0, 'bytes'],
    symlink: [0, 128],
    makeNode: [16, 128],
    makeDirectory: [8, 128],
    unlink: [0, 0],
    removeDirectory: [0, 0],
    rename: [8, 0],
    link: [8, 128],
    open: [8, 16],
    read: [40, 'bytes'],
    write: [40, 8],
    statFs: [0, 80],
    release: [24, 0],
    fsync: [16, 0],
    setXattr: [8, 0],
    getXattr: [8, 'bytes'],
    listXattrs: [8, 'bytes'],
    removeXattr: [0, 0],
    flush: [24, 0],
    openDirectory: [8, 16],
    readDirectory: [40, 'bytes'],
    allocate: [32, 0],
    readDirectoryPlus: [40, 'bytes'],
    releaseDirectory: [24, 0],
    fsyncDirectory: [16, 0],
    create: [16, 144],
    rename2: [16, 0],
    seek: [24, 8],
    copyRange: [56, 8],
    forget: [8, 0],
    init: [16, 64],
    interrupt: [8, 0],
    destroy: [0, 0],
    batchForget: [8, 0],
  };
  for (const [name, { request, reply }] of Object.entries(all)) {
    const found = [request.bytes, reply === 'bytes' ? reply : reply.bytes];
    t.deepEqual(found, [...sizes[name as keyof typeof all]], name);
  }
  t.is(requestHeader.bytes, 40);
  t.is(replyHeader.bytes, 16);
  t.is(fileAttr.bytes, 88);
  t.is(entryReply.bytes, 128);
  t.is(direntHead.bytes, 24);
  t.is(forgetOne.bytes, 16);
  t.is(revokedInode.bytes, 24);
});

test('groups of a request are found behind other extensions, whatever the rest holds', (t) => {
  const groups = hex('18000000 20000000 02000000 05000000 07000000');
  const other = hex('10000000 01000000 0000000000000000');
  t.deepEqual(groupsOf(Buffer.concat([groups, Buffer.alloc(4)])), [5, 7]);
  t.deepEqual(groupsOf(Buffer.concat([other, groups, Buffer.alloc(4)])), [5, 7]);
  t.deepEqual(groupsOf(other), []);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      t.true(groupsOf(Buffer.from(bytes)).length <= 16);
    }),
  );
});
