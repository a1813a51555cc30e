/**
 * The head of a ring: who recorded, by which clocks, and the texts that records name by number.
 * It is JSON in a space of its own, so `head -c 400` tells whose ring a file is. Pure.
 */
import { ProtocolError } from '../errno.ts';
import type { Role } from '../wire/op.ts';
import { recordBytes } from './record.ts';

export interface RingInfo {
  readonly role: Role;
  readonly name: string;
  readonly pid: number;
  /** Start of the host: processes of one share a monotonic clock. */
  readonly boot: string;
  /** One moment, by the clock of the records, by that of the host, and by the wall; milliseconds. */
  readonly anchor: { readonly atMs: number; readonly hostMs: number; readonly wallMs: number };
}

const magic = 'weftfs trace 1';
const infoBytes = 4096;
const textBytes = 48;
/** In records; more would be no ring of ours. */
const capacityMax = 1024 * 1024;
export const textsMax = 512;
export const textsAt = infoBytes;
export const headerBytes = infoBytes + textsMax * textBytes;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function writeInfo(image: Uint8Array, info: RingInfo, capacity: number): void {
  const content = encoder.encode(
    `${magic}\n${JSON.stringify({ ...info, capacity, recordBytes })}\n`,
  );
  image.fill(0, 0, infoBytes);
  image.set(content.subarray(0, infoBytes));
}

/** @param number below `textsMax`; a text that is too long is cut */
export function writeText(image: Uint8Array, number: number, text: string): void {
  const at = textsAt + number * textBytes;
  image[at] = encoder.encodeInto(text, image.subarray(at + 1, at + textBytes)).written;
}

export interface RingHeader {
  readonly info: RingInfo;
  /** In records. */
  readonly capacity: number;
  readonly texts: readonly string[];
}

/** @throws ProtocolError when the bytes are no ring of a version that we know */
export function readHeader(image: Uint8Array): RingHeader {
  const [first = '', json = ''] = decoder.decode(image.subarray(0, infoBytes)).split('\n', 2);
  if (first !== magic)
    throw new ProtocolError('it is no trace of weftfs, or one of another version');
  const { capacity, recordBytes: bytes, ...info } = parse(json);
  const isKnown = Number.isSafeInteger(capacity) && bytes === recordBytes;
  const isSane = Number(capacity) > 0 && Number(capacity) <= capacityMax;
  if (!isKnown || !isSane || !isInfo(info))
    throw new ProtocolError('the head of the trace is damaged');
  const texts = Array.from({ length: textsMax }, (_, number) => {
    const at = textsAt + number * textBytes;
    return decoder.decode(image.subarray(at + 1, at + 1 + (image[at] ?? 0)));
  });
  return { info, capacity: Number(capacity), texts };
}

function parse(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (error: unknown) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new ProtocolError('the head of the trace is damaged');
}

function isInfo(value: object): value is RingInfo {
  const { role, name, pid, boot, anchor } = value as Record<string, unknown>;
  if (typeof anchor !== 'object' || anchor === null) return false;
  const { atMs, hostMs, wallMs } = anchor as Record<string, unknown>;
  return (
    (role === 'mgr' || role === 'iod' || role === 'client') &&
    typeof name === 'string' &&
    typeof boot === 'string' &&
    [pid, atMs, hostMs, wallMs].every((one) => Number.isFinite(one))
  );
}
