/** The head of a WebSocket frame as we write it (RFC 6455, section 5.2). */

export const opcodes = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

/** The longest head: two bytes, a 64-bit length, a masking key. */
export const frameHeadBytesMax = 14;

/** Of the first byte: it ends a packet; its bytes are in the lane, and its content says how many. */
export const frameFlags = { final: 0x80, lane: 0x40, unused: 0x30 } as const;
/** Content of a frame whose bytes are in the lane. */
export const laneContentBytes = 4;

const masked = 0x80;

/**
 * @param first opcode and flags
 * @param contentBytes below 2^53
 * @param client clients must mask; ours do with the all-zero key, which leaves the bytes as they
 *   are. Masking protects careless proxies from scripts of browsers, and no script chooses our bytes.
 */
export function frameHead(first: number, contentBytes: number, client: boolean): Buffer {
  const lengthBytes = contentBytes < 126 ? 0 : contentBytes < 65_536 ? 2 : 8;
  const head = Buffer.allocUnsafe(2 + lengthBytes + (client ? 4 : 0));
  const maskBit = client ? masked : 0;
  head[0] = first;
  if (lengthBytes === 0) {
    head[1] = maskBit | contentBytes;
  } else if (lengthBytes === 2) {
    head[1] = maskBit | 126;
    head.writeUInt16BE(contentBytes, 2);
  } else {
    head[1] = maskBit | 127;
    head.writeUInt16BE(0, 2);
    head.writeUIntBE(contentBytes, 4, 6);
  }
  if (client) head.fill(0, 2 + lengthBytes);
  return head;
}

/** @param text at most 123 bytes */
export function closeContent(code: number, text: string): Buffer {
  const content = Buffer.from(`  ${text}`);
  content.writeUInt16BE(code);
  return content;
}
