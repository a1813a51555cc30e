/**
 * What waits in a process, told in one form: requests of others that have no answer yet, calls made
 * of others, and what else its parts know. Nothing is kept for it: whoever asks looks at what there
 * is at that moment (`weft why`).
 */
import { limits } from '../limits.ts';
import type { Handle, SessionId } from '../units.ts';
import { belongsToLink } from '../wire/op-names.ts';
import type { Wait, WaitPage } from '../wire/values.ts';
import type { CallSignal } from './abort.ts';
import type { Call } from './call.ts';
import type { Connection } from './connection.ts';
import type { Answer } from './service.ts';

/** As its part knows it: of any length, and with times that are no whole numbers. */
export type Waiting = Partial<Wait> &
  Pick<Wait, 'kind' | 'peer' | 'forMs'> & {
    /** By which it is given up: a request of the kernel and the calls made for it have the same. */
    readonly signal?: CallSignal | undefined;
  };

/** What a message may say of what it is about. */
interface Subject {
  readonly handle?: unknown;
  readonly handles?: unknown;
  readonly session?: unknown;
  readonly cap?: { readonly body?: Subject };
}

const nothing: Subject = {};

/** A request of the peer, whose handler waits. */
export function waitOfAnswer(connection: Connection, answer: Answer): Waiting {
  const { peer, clock } = connection;
  const now = clock.now();
  const { stage, deadline = Infinity } = answer.context ?? {};
  return {
    kind: 'request',
    connection: connection.messages.connection,
    tag: answer.tag,
    op: answer.op?.code ?? 0,
    stage: stage?.at ?? 'work',
    peer: `${peer.role} ${peer.node}`,
    session: peer.session,
    handles: stage?.handles ?? handlesIn(answer.request),
    forMs: now - answer.begunAt,
    leftMs: deadline - now,
    silentMs: connection.silentMs,
  };
}

/** A call that is on its way over the connection. */
export function waitOfCall(connection: Connection, call: Call): Waiting {
  const { peer, clock } = connection;
  return {
    ...waitOfUnsent(call, clock.now(), `${peer.role} ${peer.node}`, ''),
    connection: connection.messages.connection,
    tag: call.tag,
    session: sessionIn(call.request) ?? peer.session,
    silentMs: connection.silentMs,
  };
}

/** A call that is not on its way now. @param why it is not */
export function waitOfUnsent(call: Call, now: number, peer: string, why: string): Waiting {
  return {
    kind: 'call',
    op: call.op.code,
    peer,
    handles: handlesIn(call.request),
    forMs: now - call.begunAt,
    leftMs: call.deadline - now,
    why,
    signal: call.signal,
  };
}

/**
 * As it travels: the oldest first. Heartbeats and what else belongs to a connection are left out.
 * @param handle leaves out what is neither about this file nor made for a request about it
 */
export function pageOfWaits(waits: Iterable<Waiting>, handle: Handle | undefined): WaitPage {
  const all = [...waits].filter(({ op = 0 }) => !belongsToLink(op));
  const asked = new Map(
    all.flatMap((one) => (one.kind === 'kernel' ? [[one.signal, one] as const] : [])),
  );
  const told = all.flatMap((waiting) => {
    const request = waiting.signal && asked.get(waiting.signal);
    if (!isAbout(waiting, handle) && !(request && isAbout(request, handle))) return [];
    return [{ ...waiting, kernel: request?.kernel }];
  });
  const oldest = told.toSorted((a, b) => b.forMs - a.forMs).slice(0, limits.waitsPerPage);
  return { waits: oldest.map(bounded), total: told.length };
}

function isAbout({ handles }: Waiting, handle: Handle | undefined): boolean {
  return handle === undefined || handles?.includes(handle) === true;
}

function bounded(waiting: Waiting): Wait {
  const { kind, connection = 0, tag = 0, op = 0, stage = 'work', peer, session } = waiting;
  const { handles = [], forMs, leftMs = Infinity, silentMs, why = '', kernel } = waiting;
  return {
    kind,
    connection: connection >>> 0,
    tag,
    op,
    stage,
    peer: peer.slice(0, limits.waitTextMax),
    session,
    handles: handles.slice(0, limits.waitHandlesMax),
    forMs: wholeMs(forMs),
    leftMs: leftMs === Infinity ? undefined : wholeMs(leftMs),
    silentMs: silentMs === undefined ? undefined : wholeMs(silentMs),
    why: why.slice(0, limits.waitTextMax),
    kernel,
  };
}

function wholeMs(ms: number): number {
  return Math.max(0, Math.round(ms));
}

function handlesIn(request: unknown): readonly Handle[] {
  const { handle, handles, cap } = (request ?? nothing) as Subject;
  if (typeof handle === 'number') return [handle as Handle];
  if (Array.isArray(handles)) return handles as readonly Handle[];
  return cap?.body === undefined ? [] : handlesIn(cap.body);
}

function sessionIn(request: unknown): SessionId | undefined {
  const { session } = (request ?? nothing) as Subject;
  return typeof session === 'number' ? (session as SessionId) : undefined;
}
