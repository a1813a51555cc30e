import test from 'ava';
import type { File } from '../../../../client/file.ts';
import { NodeTable } from '../../../../client/fuse/node-table.ts';
import { OpenFiles } from '../../../../client/fuse/open-files.ts';
import { attributeHandlers } from '../../../../client/fuse/operations/attributes.ts';
import { fileHandlers } from '../../../../client/fuse/operations/files.ts';
import { xattrHandlers } from '../../../../client/fuse/operations/xattrs.ts';
import { setAttrBits, writeBits } from '../../../../client/fuse/protocol.ts';
import type { Volume } from '../../../../client/fuse/volume.ts';
import { type LentChange, LentFiles } from '../../../../client/lent-files.ts';
import type { Handle } from '../../../../shared/units.ts';
import type { Op } from '../../../../shared/wire/op.ts';
import { nameOps } from '../../../../shared/wire/mgr-ops.ts';
import type { Attr } from '../../../../shared/wire/values.ts';

const handle = 7 as Handle;
const time = { seconds: 1, nanoseconds: 0 };
const times = { accessed: time, modified: time, changed: time, born: time };
const made = { handle, kind: 'file', mode: 0o4755, uid: 0, gid: 0, size: 0, ...times } as Attr;
const control = {
  room: (bytes: number) => Buffer.alloc(bytes),
  afterwards: () => undefined,
  keep: () => () => undefined,
};

/** With one file lent; what others are asked is in `asked`. */
function stage() {
  const asked: string[] = [];
  const clock = { now: () => 0, timer: () => ({ cancel: () => undefined }) } as never;
  const lent = new LentFiles({
    clock,
    log: { error: () => undefined },
    isValid: () => true,
    closeNow: () => undefined,
    bear: () => Promise.resolve(),
  });
  const file = {
    handle,
    settle: () => Promise.resolve(void asked.push('settle')),
    write: (bytes: Uint8Array) => {
      asked.push('write');
      return Promise.resolve({ position: 0, bytesWritten: bytes.length });
    },
  } as unknown as File;
  const asking = lent.ask();
  lent.take(asking, file, made, 100);
  lent.answered(asking);
  const nodes = new NodeTable();
  nodes.refer(made);
  const files = new OpenFiles();
  const number = files.add(file, true);
  const access = {
    lent,
    here: (one: Handle) => lent.attr(one),
    isNew: (one: Handle) => lent.attr(one) !== undefined,
    changeHere: (one: Handle, change: LentChange) => lent.change(one, change),
    settled: (one: Handle) => lent.settle(one),
    closeNow: () => undefined,
    call: (op: Op, { size = 0, mode = made.mode }: Partial<Attr>) => {
      asked.push(op === nameOps.setAttr ? 'setAttr' : 'other');
      return Promise.resolve({ attr: { ...made, size, mode } });
    },
  };
  const kernel = {
    pages: { read: () => undefined },
    changed: () => Promise.resolve(),
    revoke: () => Promise.resolve(),
  };
  const volume = { access, nodes, files, kernel } as unknown as Volume;
  return { volume, asked, number };
}

function request(body: object, tail?: unknown) {
  return { header: { node: handle, uid: 0, gid: 0, pid: 0 }, body, tail, groups: [] } as never;
}

function writing(file: number, text: string, writeFlags = 0) {
  const body = { file, offset: 0, size: text.length, writeFlags, flags: 0 };
  return request(body, Buffer.from(text));
}

test('of a file that is lent nobody else is asked anything', async (t) => {
  const { volume, asked, number } = stage();
  t.deepEqual(await fileHandlers.write(volume, writing(number, 'abc'), control), { size: 3 });
  const reading = request({ file: number, offset: 1, size: 10 });
  t.is(Buffer.concat(await fileHandlers.read(volume, reading, control)).toString(), 'bc');
  const seen = await attributeHandlers.getAttr(volume, request({ flags: 0 }), control);
  t.is(seen.attr.size, 3);
  t.is(seen.attrValid + seen.attrValidNs, 0, 'the kernel asks for each');
  const named = request({ size: 10 }, 'security.capability');
  t.throws(() => xattrHandlers.getXattr(volume, named, control), { code: 'ENODATA' });
  t.deepEqual(asked, []);
});

test('who gives a lent file away takes its set-id bits, unless he sets them', async (t) => {
  const modeAfter = async (body: object): Promise<number> => {
    const { volume, asked } = stage();
    const { attr } = await attributeHandlers.setAttr(volume, request(body), control);
    t.deepEqual(asked, []);
    return attr.mode & 0o7777;
  };
  const { uid, mode, killPrivileges } = setAttrBits;
  t.is(await modeAfter({ valid: uid, uid: 5 }), 0o755);
  t.is(await modeAfter({ valid: uid | mode, uid: 5, mode: 0o4711 }), 0o4711);
  t.is(await modeAfter({ valid: mode | killPrivileges, mode: 0o4711 }), 0o711);
});

test('what needs the mgr comes behind what was done to a lent file', async (t) => {
  const cut = stage();
  await fileHandlers.write(cut.volume, writing(cut.number, 'abc'), control);
  const body = { valid: setAttrBits.size, size: 1 };
  await attributeHandlers.setAttr(cut.volume, request(body), control);
  t.deepEqual(cut.asked, ['settle', 'setAttr']);
  const long = stage();
  await fileHandlers.write(long.volume, writing(long.number, 'x'.repeat(101)), control);
  t.deepEqual(long.asked, ['settle', 'write']);
  const killing = stage();
  const privileged = writing(killing.number, 'a', writeBits.killPrivileges);
  await fileHandlers.write(killing.volume, privileged, control);
  t.deepEqual(killing.asked, ['settle', 'setAttr', 'write']);
});
