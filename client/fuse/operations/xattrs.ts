/** Extended attributes. The kernel has checked the rights; which classes there are the mgr says. */
import { FsError } from '../../../shared/errno.ts';
import { nameOps } from '../../../shared/wire/mgr-ops.ts';
import type { Control } from '../../control.ts';
import type { HandleAccess } from '../../handle-access.ts';
import { placeAt } from '../../handle-place.ts';
import { encode, gap, struct, u32 } from '../layout.ts';
import type { Operations } from '../protocol.ts';
import { type Handlers, handleOf, type RequestOf } from '../volume.ts';

const noBytes = new Uint8Array();
const sizeReply = struct({ size: u32, padding: gap(4) });
/** XATTR_CREATE and XATTR_REPLACE of setxattr(2). */
const mustNotExistBit = 1;
const mustExistBit = 2;

/**
 * Labels of SELinux, for which `ls -l` asks every file. A kernel that enforces them has one for the
 * whole mount and asks for none; to any other they are of no use.
 */
const labelName = 'security.selinux';

export const xattrHandlers = {
  getXattr({ access }, request, control) {
    requireNoLabel(request.tail);
    if (access.isNew(handleOf(request))) throw noData;
    return getXattr(access, request, control);
  },

  async listXattrs({ access }, request, control) {
    if (access.isNew(handleOf(request))) return sized(noBytes, request.body.size);
    const wish = { at: placeAt(handleOf(request)), follow: false };
    const { names } = await access.call(nameOps.listXattrs, wish, control);
    // The mgr answers the mount, which is root; the caller may be somebody else.
    const known = names.filter((name) => request.header.uid === 0 || !name.startsWith('trusted.'));
    const list = known.map((name) => `${name}\0`).join('');
    return sized(Buffer.from(list, 'latin1'), request.body.size);
  },

  async setXattr({ access }, request, control) {
    const { flags, size } = request.body;
    const { name, bytes } = request.tail;
    requireNoLabel(name);
    return access.call(
      nameOps.setXattr,
      {
        at: placeAt(handleOf(request)),
        follow: false,
        name,
        value: bytes.subarray(0, size),
        mustExist: (flags & mustExistBit) !== 0,
        mustNotExist: (flags & mustNotExistBit) !== 0,
      },
      control,
    );
  },

  async removeXattr({ access }, request, control) {
    const wish = { at: placeAt(handleOf(request)), follow: false, name: request.tail };
    return access.call(nameOps.removeXattr, wish, control);
  },
} satisfies Partial<Handlers>;

/** One for all: the kernel asks with each change of owner, and to make an error takes its time. */
const noData = new FsError('ENODATA');

async function getXattr(
  access: HandleAccess,
  request: RequestOf<Operations['getXattr']>,
  control: Control,
): Promise<readonly Uint8Array[]> {
  const wish = { at: placeAt(handleOf(request)), follow: false, name: request.tail };
  const { value } = await access.call(nameOps.getXattr, wish, control);
  return sized(value, request.body.size);
}

/** @throws FsError EOPNOTSUPP */
function requireNoLabel(name: string): void {
  if (name !== labelName) return;
  throw new FsError('EOPNOTSUPP', { what: 'labels of SELinux are not kept' });
}

/** With room for nothing the caller asks how much room it needs. */
function sized(value: Uint8Array, room: number): readonly Uint8Array[] {
  if (room === 0) return [encode(sizeReply, { size: value.length })];
  if (value.length <= room) return value.length === 0 ? [] : [value];
  throw new FsError('ERANGE');
}
