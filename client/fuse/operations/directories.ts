/**
 * Listings. The position of an entry is the mgr's cookie, which stays while others come and go, so
 * an open directory needs no state here: telldir and seekdir work at any time.
 */
import { limits } from '../../../shared/limits.ts';
import type { ByteString } from '../../../shared/units.ts';
import { nameOps } from '../../../shared/wire/mgr-ops.ts';
import { placeAt } from '../../handle-access.ts';
import { encode } from '../layout.ts';
import { direntHead } from '../protocol.ts';
import { direntType, type Handlers, handleOf } from '../volume.ts';

/** Positions behind `.` and `..`; cookies of the mgr begin behind them. */
const afterDot = 1;
const afterDotDot = 2;
/** Of an entry with a name of usual length: how many are asked for to fill a buffer. */
const usualEntryBytes = 40;

export interface Entry {
  readonly name: ByteString;
  readonly ino: number;
  /** Position behind it. */
  readonly next: number;
  readonly type: number;
}

export const directoryHandlers = {
  async openDirectory() {
    return { file: 0, flags: 0 };
  },

  async readDirectory({ access }, request, control) {
    const { offset, size } = request.body;
    const handle = handleOf(request);
    const after = Math.max(0, offset - afterDotDot);
    const count = Math.min(limits.direntsPerPageMax, Math.ceil(size / usualEntryBytes));
    const wish = { at: placeAt(handle), after, count, attributes: false };
    const { entries, parent } = await access.call(nameOps.readDirectory, wish, control);
    const type = direntType('directory');
    const all: Entry[] = [];
    if (offset < afterDot) all.push({ name: dot, ino: handle, next: afterDot, type });
    if (offset < afterDotDot) all.push({ name: dotDot, ino: parent, next: afterDotDot, type });
    for (const { name, handle: ino, kind, cookie } of entries) {
      all.push({ name, ino, next: cookie + afterDotDot, type: direntType(kind) });
    }
    return encodeEntries(all, size);
  },

  async releaseDirectory() {
    return {};
  },

  /** Names are durable when they are acknowledged. */
  async fsyncDirectory() {
    return {};
  },
} satisfies Partial<Handlers>;

const dot = '.' as ByteString;
const dotDot = '..' as ByteString;

/** As many as fit, each padded to 8 bytes. */
export function encodeEntries(entries: readonly Entry[], bytesMax: number): Buffer[] {
  const pieces: Buffer[] = [];
  let room = bytesMax;
  for (const { name, ino, next, type } of entries) {
    const bytes = direntHead.bytes + Math.ceil(name.length / 8) * 8;
    if (bytes > room) break;
    room -= bytes;
    const piece = Buffer.alloc(bytes);
    encode(direntHead, { ino, next, nameBytes: name.length, type }).copy(piece);
    piece.write(name, direntHead.bytes, 'latin1');
    pieces.push(piece);
  }
  return pieces.length > 1 ? [Buffer.concat(pieces)] : pieces;
}
