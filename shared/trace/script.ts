/**
 * From a trace to what can be done again: the requests of all clients and what befell the
 * processes, as a script for the simulator (`npm run sim -- --script FILE`). Names and contents are
 * not in a trace: each object of an iod becomes a file of its own, with other bytes, and each
 * change of a name makes one. Pure.
 */
import { errnos } from '../errno.ts';
import { dataOps } from '../wire/iod-ops.ts';
import { nameOps } from '../wire/mgr-ops.ts';
import type { Role } from '../wire/op.ts';
import { hasSlot } from '../wire/op-names.ts';
import { type KillPoint, killPoints } from '../runtime/kill-points.ts';
import { recordKinds } from './record.ts';
import type { Ring } from './ring.ts';
import { Timeline, type TimelineEvent } from './timeline.ts';

/** `client 2`, `iod 0`, `mgr 0`: the processes of a role, in the order of their names. */
export interface Actor {
  readonly role: Role;
  readonly index: number;
}

export interface ScriptRequest {
  /** Since the begin of the script. */
  readonly atMs: number;
  readonly client: number;
  /** `change`: some change of a name. */
  readonly kind: 'read' | 'write' | 'sync' | 'change';
  /** Of `read`, `write`, `sync`: the object; of `change` both are 0. */
  readonly iod: number;
  readonly handle: number;
  readonly offset: number;
  readonly bytes: number;
}

/** A process that ended and came back; `power`: with its host. */
export interface ScriptEnd {
  readonly kind: 'kill' | 'stop' | 'power';
  readonly atMs: number;
  readonly who: Actor;
  readonly downMs: number;
  /** The step that it had just passed when it was killed. */
  readonly step?: KillPoint;
}

/** A connection that broke while both its ends lived on. */
export interface ScriptCut {
  readonly kind: 'cut';
  readonly atMs: number;
  readonly between: readonly [Actor, Actor];
}

export interface TraceScript {
  readonly clients: number;
  readonly iods: number;
  readonly requests: readonly ScriptRequest[];
  readonly faults: readonly (ScriptEnd | ScriptCut)[];
}

/** What breaks a connection besides is seen by both ends within this time. */
const togetherMs = 1000;

/** @param rings of all processes, of all their lives as far as they are there */
export function scriptOf(rings: readonly Ring[]): TraceScript {
  const cast = new Cast(rings);
  const events = [...new Timeline(rings).events()];
  const beginMs = events.find(({ record }) => record.kind === recordKinds.requestSent)?.wallMs ?? 0;
  const at = (wallMs: number): number => Math.max(0, wallMs - beginMs);
  const ends = endsOf(rings, events, cast).map((end) => ({ ...end, atMs: at(end.atMs) }));
  const cuts = cutsOf(events, cast).map((cut) => ({ ...cut, atMs: at(cut.atMs) }));
  const isExplained = ({ atMs }: ScriptCut): boolean =>
    ends.some((end) => Math.abs(end.atMs - atMs) < togetherMs);
  return {
    clients: cast.count('client'),
    iods: cast.count('iod'),
    requests: requestsOf(events, cast).map((one) => ({ ...one, atMs: at(one.atMs) })),
    faults: [...ends, ...cuts.filter((cut) => !isExplained(cut))].toSorted(
      (a, b) => a.atMs - b.atMs,
    ),
  };
}

/** Who is who: several lives of a process are one actor. */
class Cast {
  readonly #rings: readonly Ring[];
  readonly #names: Readonly<Record<Role, readonly string[]>>;

  constructor(rings: readonly Ring[]) {
    this.#rings = rings;
    const namesOf = (role: Role): string[] => {
      const names = rings.filter(({ info }) => info.role === role).map(({ info }) => info.name);
      return [...new Set(names)].toSorted();
    };
    this.#names = { mgr: namesOf('mgr'), iod: namesOf('iod'), client: namesOf('client') };
  }

  count(role: Role): number {
    return this.#names[role].length;
  }

  of(ring: number): Actor {
    const { role = 'client', name = '' } = this.#rings[ring]?.info ?? {};
    return { role, index: this.#names[role].indexOf(name) };
  }

  /** @param text role and name, as records have it */
  named(text: string): Actor | undefined {
    const role = (['mgr', 'iod', 'client'] as const).find((one) => text.startsWith(`${one} `));
    if (role === undefined) return undefined;
    const index = this.#names[role].indexOf(text.slice(role.length + 1));
    return index < 0 ? undefined : { role, index };
  }
}

const dataKinds = new Map<number, ScriptRequest['kind']>([
  [dataOps.read.code, 'read'],
  [dataOps.write.code, 'write'],
  [dataOps.sync.code, 'sync'],
]);
const nameCodes = new Set<number>(Object.values(nameOps).map(({ code }) => code));

/** The first attempt of each call: what is sent again is for the replay to find out. */
function requestsOf(events: readonly TimelineEvent[], cast: Cast): ScriptRequest[] {
  const seen = new Set<string>();
  return events.flatMap(({ ring, record, wallMs: atMs }) => {
    const { role, index: client } = cast.of(ring);
    const call = `${ring} ${record.call}`;
    if (record.kind !== recordKinds.requestSent || role !== 'client' || seen.has(call)) return [];
    seen.add(call);
    const { op, handle, place, bytes } = record;
    const kind = dataKinds.get(op);
    const iod = cast.named(record.text)?.index;
    if (kind !== undefined && iod !== undefined) {
      return [{ atMs, client, kind, iod, handle, offset: place, bytes }];
    }
    if (!nameCodes.has(op) || !hasSlot(op)) return [];
    return [{ atMs, client, kind: 'change' as const, iod: 0, handle: 0, offset: 0, bytes: 0 }];
  });
}

function endsOf(rings: readonly Ring[], events: readonly TimelineEvent[], cast: Cast): ScriptEnd[] {
  const first = new Map<number, TimelineEvent>();
  const last = new Map<number, TimelineEvent>();
  for (const event of events) {
    if (!first.has(event.ring)) first.set(event.ring, event);
    last.set(event.ring, event);
  }
  return rings.flatMap((ring, index): ScriptEnd[] => {
    const end = last.get(index);
    const next = nextLife(rings, index);
    const start = next === undefined ? undefined : first.get(next);
    if (end === undefined || next === undefined || start === undefined) return [];
    const { kind, text } = end.record;
    const step = killPoints.find((point) => kind === recordKinds.step && point === text);
    const isStop = kind === recordKinds.ended || hasStopped(ring);
    const isPower = rings[next]?.info.boot !== ring.info.boot;
    return [
      {
        kind: isPower ? 'power' : isStop ? 'stop' : 'kill',
        atMs: end.wallMs,
        who: cast.of(index),
        downMs: Math.max(1, start.wallMs - end.wallMs),
        ...(step !== undefined && !isPower && !isStop && { step }),
      },
    ];
  });
}

/** The earliest ring of the same process that begins later. */
function nextLife(rings: readonly Ring[], index: number): number | undefined {
  const info = rings[index]?.info;
  const later = rings
    .map((ring, at) => ({ at, info: ring.info }))
    .filter(
      (other) =>
        other.info.role === info?.role &&
        other.info.name === info.name &&
        other.info.anchor.wallMs > info.anchor.wallMs,
    )
    .toSorted((a, b) => a.info.anchor.wallMs - b.info.anchor.wallMs);
  return later[0]?.at;
}

function hasStopped(ring: Ring): boolean {
  for (const { kind, text } of ring.records()) {
    if (kind === recordKinds.state && text.endsWith('-> STOPPED')) return true;
  }
  return false;
}

/** Each broken connection once: the first end that saw it. */
function cutsOf(events: readonly TimelineEvent[], cast: Cast): ScriptCut[] {
  const seen = new Set<number>();
  return events.flatMap(({ ring, record, wallMs: atMs }): ScriptCut[] => {
    const { kind, connection, text, outcome } = record;
    if (kind !== recordKinds.disconnected || seen.has(connection)) return [];
    seen.add(connection);
    const other = cast.named(text);
    // Closed by one of the two, with EPIPE, it is no fault.
    if (other === undefined || !broken.has(outcome)) return [];
    return [{ kind: 'cut', atMs, between: [cast.of(ring), other] }];
  });
}

/** Errnos of a connection that neither end has closed. */
const broken = new Set<number>([errnos.ECONNRESET, errnos.ETIMEDOUT]);
