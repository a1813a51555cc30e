/** An event of a timeline in words, and as an object. */
import { errnoName } from '../../../shared/errno.ts';
import { type RecordKind, recordKinds, type TraceRecord } from '../../../shared/trace/record.ts';
import type { RingInfo } from '../../../shared/trace/ring-header.ts';
import type { TimelineEvent } from '../../../shared/trace/timeline.ts';
import { hasSlot, opName } from '../../../shared/wire/op-names.ts';
import type { Paint } from '../colors.ts';
import { humanBytes } from '../../../shared/figures.ts';
import type { JsonObject } from '../output.ts';
import { printable } from '../../observing/shown-text.ts';

/** Slots of mutations are below 2^21 of these. */
const slotUnit = 2 ** 32;

const words: Readonly<Record<RecordKind, string>> = {
  [recordKinds.requestSent]: '-> request',
  [recordKinds.requestReceived]: '<- request',
  [recordKinds.replySent]: '-> reply',
  [recordKinds.replyReceived]: '<- reply',
  [recordKinds.givenUp]: 'gave up',
  [recordKinds.connected]: 'connected',
  [recordKinds.disconnected]: 'disconnected',
  [recordKinds.linkDown]: 'link down',
  [recordKinds.state]: 'state',
  [recordKinds.step]: 'step',
  [recordKinds.ended]: 'ended',
  [recordKinds.log]: 'log',
};

const kindNames = new Map<number, string>(
  Object.entries(recordKinds).map(([name, kind]) => [kind, name]),
);

/** `iod iod2`. */
export function processName({ role, name }: RingInfo): string {
  return role === name ? name : `${role} ${name}`;
}

/** Wall time with microseconds, as in `09:08:07.123456`. */
export function timeText(wallMs: number): string {
  const ms = Math.floor(wallMs);
  const micros = Math.floor((wallMs - ms) * 1000);
  return new Date(ms).toISOString().slice(11, 23) + String(micros).padStart(3, '0');
}

/** @param width of the names of processes */
export function eventLine(
  { record, wallMs, partner }: TimelineEvent,
  info: RingInfo,
  width: number,
  paint: Paint,
): string {
  const who = printable(processName(info)).padEnd(width);
  const lost = partner === 'lost' ? ` ${paint('red', 'LOST')}` : '';
  return `${timeText(wallMs)}  ${who}  ${detail(record)}${lost}`;
}

export function eventJson(
  { record, wallMs, partner, ring }: TimelineEvent,
  infos: readonly RingInfo[],
): JsonObject {
  const { kind, op, place, connection, ...rest } = record;
  const info = infos[ring];
  return {
    process: info && processName(info),
    pid: info?.pid,
    at: new Date(wallMs).toISOString(),
    wallMs,
    ...rest,
    kind: kindNames.get(kind) ?? kind,
    op: op === 0 ? null : opName(op),
    connection: connection === 0 ? null : hex(connection),
    ...(isMutation(record)
      ? { slot: Math.floor(place / slotUnit), sequence: place % slotUnit }
      : { offset: place }),
    partner: partnerJson(partner, infos),
  };
}

function partnerJson(partner: TimelineEvent['partner'], infos: readonly RingInfo[]) {
  if (typeof partner !== 'object') return partner ?? null;
  const info = infos[partner.ring];
  return { process: info && processName(info), pid: info?.pid, number: partner.number };
}

function detail(record: TraceRecord): string {
  const { kind, op, outcome, text, handle, place, bytes, connection, tag, call } = record;
  const { generation, number } = record.epoch;
  return [
    // A later version may have recorded what this one has no word for.
    words[kind] ?? `kind ${kind}`,
    ...(op > 0 ? [opName(op)] : []),
    printable(text),
    ...(outcome > 0 ? [kind === recordKinds.ended ? `code ${outcome}` : errnoName(outcome)] : []),
    ...(handle > 0 ? [`handle ${handle}`] : []),
    ...(isMutation(record)
      ? [`slot ${Math.floor(place / slotUnit)}.${place % slotUnit}`]
      : place > 0
        ? [`at ${place}`]
        : []),
    ...(bytes > 0 ? [humanBytes(bytes)] : []),
    ...(connection > 0 ? [`#${hex(connection)}${tag > 0 ? `:${tag}` : ''}`] : []),
    ...(call > 0 ? [`call ${call}`] : []),
    ...(generation > 0 ? [`epoch ${generation}.${number}`] : []),
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/** The reply to one does not tell its place again. */
function isMutation({ op, place }: TraceRecord): boolean {
  return place > 0 && hasSlot(op);
}

function hex(connection: number): string {
  return connection.toString(16).padStart(8, '0');
}
