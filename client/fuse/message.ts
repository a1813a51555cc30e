/** From the bytes of a request to what a handler takes, and from what it returns to a reply. Pure. */
import { ProtocolError } from '../../shared/errno.ts';
import { encode } from './layout.ts';
import {
  groupsOf,
  type Operation,
  replyHeader,
  requestHeader,
  type RequestHeader,
} from './protocol.ts';

/** One request. Its bytes are valid until it is answered. */
export interface Incoming<Q, T> {
  readonly header: RequestHeader;
  readonly body: Q;
  readonly tail: T;
  /** Supplementary groups of the caller, as far as the kernel names them. */
  readonly groups: readonly number[];
}

/** @throws ProtocolError when it is shorter than it says, or than a header */
export function decodeHeader(message: Buffer): RequestHeader {
  if (message.length < requestHeader.bytes) {
    throw new ProtocolError(`a request of ${message.length} bytes has no header`);
  }
  const header = requestHeader.read(message, 0);
  if (header.length === message.length) return header;
  throw new ProtocolError(`a request of ${message.length} bytes says that it has ${header.length}`);
}

/** @throws ProtocolError when it is shorter than its operation asks for */
export function decodeRequest<Q, T>(
  { request, tail, code }: Operation<Q, T>,
  header: RequestHeader,
  message: Buffer,
): Incoming<Q, T> {
  const end = message.length - header.extensionWords * 8;
  const start = requestHeader.bytes + request.bytes;
  if (end < start) throw new ProtocolError(`operation ${code} in ${message.length} bytes`);
  return {
    header,
    body: request.read(message, requestHeader.bytes),
    tail: tail.read(message.subarray(start, end)),
    groups: header.extensionWords === 0 ? [] : groupsOf(message.subarray(end)),
  };
}

/** @returns the bytes of the reply behind its header */
export function encodeReply<R>(
  { reply }: Operation<unknown, unknown, R>,
  value: R,
): readonly Uint8Array[] {
  if (reply === 'bytes') return value as readonly Uint8Array[];
  return reply.bytes === 0 ? [] : [encode(reply, value)];
}

/** @returns a message of ours that answers no request */
export function notification(code: number, content: Uint8Array): Uint8Array {
  const length = replyHeader.bytes + content.length;
  return Buffer.concat([encode(replyHeader, { length, error: code, unique: 0 }), content]);
}

/** @param errno of Linux, 0 for none */
export function withHeader(
  unique: number,
  errno: number,
  content: readonly Uint8Array[],
): readonly Uint8Array[] {
  const length = content.reduce((sum, piece) => sum + piece.length, replyHeader.bytes);
  return [encode(replyHeader, { length, error: -errno, unique }), ...content];
}
