/** Bytes that tell who wrote them, where, and for the how-manieth time; and that prove it. Pure. */
import { crc32 } from 'node:zlib';

export interface Block {
  readonly writer: number;
  /** Where it belongs: its offset in a file, or its number among the appended ones. */
  readonly place: number;
  /** Grows with every write of the place. */
  readonly generation: number;
}

const magic = 0x77656674;
const headBytes = 24;

export function makeBlock(bytes: number, { writer, place, generation }: Block): Buffer {
  const block = Buffer.alloc(bytes, `${writer} ${place} ${generation} `);
  block.writeUInt32LE(magic, 0);
  block.writeUInt32LE(writer, 4);
  block.writeDoubleLE(place, 8);
  block.writeUInt32LE(generation, 16);
  block.writeUInt32LE(checksum(block), 20);
  return block;
}

/** @returns `zeros` where nothing was written, `damaged` for what nobody can have written */
export function readBlock(block: Buffer): Block | 'zeros' | 'damaged' {
  if (block.every((byte) => byte === 0)) return 'zeros';
  if (block.readUInt32LE(0) !== magic || block.readUInt32LE(20) !== checksum(block)) {
    return 'damaged';
  }
  return {
    writer: block.readUInt32LE(4),
    place: block.readDoubleLE(8),
    generation: block.readUInt32LE(16),
  };
}

/** Of all but itself. */
function checksum(block: Buffer): number {
  return crc32(block.subarray(headBytes), crc32(block.subarray(0, 20)));
}
