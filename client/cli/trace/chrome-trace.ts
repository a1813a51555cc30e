/**
 * Rings in the Trace Event Format that chrome://tracing and ui.perfetto.dev read: calls and
 * services as spans, messages as slices with an arrow from where they were sent to where they came.
 * https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 */
import { errnoName } from '../../../shared/errno.ts';
import { isSend } from '../../../shared/trace/message-pairs.ts';
import { recordKinds } from '../../../shared/trace/record.ts';
import type { Ring } from '../../../shared/trace/ring.ts';
import { Timeline, type TimelineEvent } from '../../../shared/trace/timeline.ts';
import { opName } from '../../../shared/wire/op-names.ts';
import { processName } from './event-lines.ts';

const { requestSent, requestReceived, replySent, replyReceived } = recordKinds;

/** Which record begins a span, or ends one, and of what. */
const spans = new Map<number, { readonly phase: 'b' | 'e'; readonly category: string }>([
  [requestSent, { phase: 'b', category: 'call' }],
  [replyReceived, { phase: 'e', category: 'call' }],
  [requestReceived, { phase: 'b', category: 'service' }],
  [replySent, { phase: 'e', category: 'service' }],
]);

/** @returns the pieces of a JSON text, one a record, so that none of it is held in memory */
export function* chromeTrace(rings: readonly Ring[]): Generator<string> {
  yield '{"displayTimeUnit":"ms","traceEvents":[';
  let before = '\n';
  for (const [pid, { info }] of rings.entries()) {
    const args = { name: `${processName(info)} (pid ${info.pid})` };
    yield before + JSON.stringify({ ph: 'M', name: 'process_name', pid, tid: 1, args });
    before = ',\n';
  }
  let begin: number | undefined;
  for (const event of new Timeline(rings).events()) {
    begin ??= event.wallMs;
    for (const one of chromeEvents(event, begin)) yield before + JSON.stringify(one);
  }
  yield '\n]}\n';
}

function chromeEvents(event: TimelineEvent, beginMs: number): object[] {
  const { record, ring, wallMs, partner } = event;
  const { kind, op, text, connection, tag, handle, place, bytes, outcome, number, call } = record;
  const ts = (wallMs - beginMs) * 1000;
  const at = { ts, pid: ring, tid: 1 };
  const span = spans.get(kind);
  if (span === undefined) {
    const name = `${kindNames.get(kind) ?? 'record'} ${text}`.trim();
    return [{ ...at, ph: 'i', s: 'p', name, cat: 'event', args: { number, outcome } }];
  }
  const name = opName(op);
  const { phase: ph, category: cat } = span;
  const request = `${connection}:${tag}`;
  const error = outcome > 0 ? { error: errnoName(outcome) } : {};
  const args = { number, peer: text, handle, place, bytes, call, ...error };
  const arrow = { ...at, cat: 'message', name, id: `${request}:${arrowEnd(event)}` };
  return [
    { ...at, ph, cat, name, id: `${ring}:${request}`, args },
    { ...at, ph: 'X', dur: 1, cat: 'message', name: partner === 'lost' ? `${name} LOST` : name },
    ...(typeof partner === 'object'
      ? [isSend(record) ? { ...arrow, ph: 's' } : { ...arrow, ph: 'f', bp: 'e' }]
      : []),
  ];
}

/** The same at both ends of a message, and at no other message of the request. */
function arrowEnd({ record, ring, partner }: TimelineEvent): string {
  const sender = isSend(record) || typeof partner !== 'object' ? ring : partner.ring;
  const way = record.kind === requestSent || record.kind === requestReceived ? 'there' : 'back';
  return `${sender}:${way}`;
}

const kindNames = new Map<number, string>(
  Object.entries(recordKinds).map(([name, kind]) => [kind, name]),
);
