/** Requests as the kernel writes them. */
import { encode } from '../../../client/fuse/layout.ts';
import { requestHeader, type RequestHeader } from '../../../client/fuse/protocol.ts';

export function requestBytes(
  opcode: number,
  content: readonly Uint8Array[],
  header: Partial<RequestHeader> = {},
): Buffer {
  const length = content.reduce((sum, piece) => sum + piece.length, requestHeader.bytes);
  const whole = { unique: 2, node: 1, uid: 0, gid: 0, pid: 1, extensionWords: 0, ...header };
  return Buffer.concat([encode(requestHeader, { ...whole, length, opcode }), ...content]);
}
