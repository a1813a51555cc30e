/**
 * The head of every body: 36 bytes before the fields of the message.
 * Epoch of the sender in every message, request tag, and for mutations (slot, sequence).
 */
import { type Errno, FsError, type FsErrorDetails, ProtocolError } from '../errno.ts';
import { type ErrorId, errorCatalogue } from '../error-catalogue.ts';
import { errnoName, errnos } from '../errno.ts';
import type { Epoch } from '../units.ts';
import { Reader, type ValueOf, type Writer, struct, text, u32, u53 } from './codec.ts';

export const envelopeBytes = 36;

export const kinds = { request: 1, reply: 2 } as const;

export interface Envelope {
  readonly kind: 1 | 2;
  readonly op: number;
  /** Chosen by the caller, unique among its calls in flight; 32 bits, wraps. */
  readonly tag: number;
  readonly epoch: Epoch;
  /** Request: milliseconds the caller will still wait (0: as long as it takes). Reply: errno, 0 = ok. */
  readonly status: number;
  /** low half of the XXH64 of the payload, 0 without one. Verified at both ends. */
  readonly payloadChecksum: number;
  /** Mutations: place in the session's reply cache, and the count of mutations in that place. */
  readonly slot: number;
  readonly sequence: number;
}

export function writeEnvelope(to: Writer, envelope: Envelope): void {
  to.u8(envelope.kind);
  to.u8(0);
  to.u16(envelope.op);
  to.u32(envelope.tag);
  to.i64(envelope.epoch.generation);
  to.u32(envelope.epoch.number);
  to.u32(envelope.status);
  to.u32(envelope.payloadChecksum);
  to.u32(envelope.slot);
  to.u32(envelope.sequence);
}

/** @throws ProtocolError for anything that is no envelope */
export function readEnvelope(from: Reader): Envelope {
  const kind = from.u8();
  if (kind !== kinds.request && kind !== kinds.reply) {
    throw new ProtocolError(`unknown kind of message: ${kind}`);
  }
  if (from.u8() !== 0) throw new ProtocolError('reserved byte is not zero');
  const op = from.u16();
  const tag = from.u32();
  const generation = from.i64();
  if (generation < 0) throw new ProtocolError('negative generation');
  const epoch = { generation, number: from.u32() };
  const status = from.u32();
  const payloadChecksum = from.u32();
  return { kind, op, tag, epoch, status, payloadChecksum, slot: from.u32(), sequence: from.u32() };
}

/** The tag of a body without decoding the rest: to find a reply's destination early. */
export function peekTag(body: Uint8Array): { readonly kind: number; readonly tag: number } {
  if (body.length < envelopeBytes) throw new ProtocolError('body shorter than an envelope');
  const view = new DataView(body.buffer, body.byteOffset, 8);
  return { kind: view.getUint8(0), tag: view.getUint32(4, true) };
}

/** What follows the envelope of a reply whose status is not 0. */
export const failureCodec = struct({
  id: text(64),
  what: text(2048),
  retryAfterMs: u32,
  bytesDone: u53(),
});

/** @returns the fields of the reply that carries `error` */
export function failureFields(error: FsError): ValueOf<typeof failureCodec> {
  return {
    id: error.weftCode ?? '',
    what: (error.what ?? '').slice(0, 500),
    retryAfterMs: Math.ceil(Math.max(0, error.retryAfterMs ?? 0)),
    bytesDone: error.bytesDone ?? 0,
  };
}

export function statusOf(error: FsError): number {
  return errnos[error.code];
}

/** @throws ProtocolError when the bytes are no failure */
export function readFailure(status: number, from: Reader): FsError {
  const { id, what, retryAfterMs, bytesDone } = failureCodec.read(from);
  const code: Errno = errnoName(status);
  const details: FsErrorDetails = {
    id: Object.hasOwn(errorCatalogue, id) ? (id as ErrorId) : undefined,
    what: what || undefined,
    retryAfterMs: retryAfterMs || undefined,
    bytesDone: bytesDone || undefined,
  };
  return new FsError(code, details);
}
