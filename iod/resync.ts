/**
 * How an iod learns who has which file open: it joins (the mgr cuts the stream of changes there),
 * finds out by digests what it knows already, takes a snapshot of the rest in pages while the
 * changes already come in, and swaps the new table in when the mgr confirms that nothing is missing
 * (DESIGN 4, SCENARIOS 33-35). All of it belongs to one connection: whatever cuts it, the next one
 * begins anew, and the old table was never touched.
 */
import { ProtocolError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { Connection } from '../shared/rpc/connection.ts';
import { retryDelayMs } from '../shared/rpc/retry.ts';
import type { Clock, Runtime } from '../shared/runtime/runtime.ts';
import type { Handle } from '../shared/units.ts';
import { syncOps } from '../shared/wire/sync-ops.ts';
import type { ReplyOf, RequestOf } from '../shared/wire/op.ts';
import type { OpenPlace, OpenRange } from '../shared/wire/values.ts';
import { allOpens, type OpenPart } from './compare-opens.ts';
import type { Lease } from './lease.ts';
import type { OpenTable, Rebuild } from './open-table.ts';
import type { SyncRecovery } from './sync-recovery.ts';

export type JoinRequest = RequestOf<(typeof syncOps)['join']>;
export type JoinReply = ReplyOf<(typeof syncOps)['join']>;

type Page = ReplyOf<(typeof syncOps)['snapshot']>;

export interface ResyncParts {
  readonly runtime: Pick<Runtime, 'clock' | 'random' | 'killPoint'>;
  readonly table: OpenTable;
  readonly lease: Lease;
  readonly joinRequest: () => Promise<JoinRequest>;
  /** What the mgr said of itself must be durable before it is acted on. */
  readonly joined: (reply: JoinReply) => Promise<void>;
  /** Hears how far it is. */
  readonly recovery: Pick<SyncRecovery, 'enter' | 'swapped'>;
}

/** @throws FsError of the mgr or of the connection: nothing has changed then */
export async function resync(connection: Connection, parts: ResyncParts): Promise<void> {
  const { runtime, table, joinRequest, joined, recovery } = parts;
  const { killPoint } = runtime;
  killPoint('iod.sync.connected');
  recovery.enter('join');
  const request = await joinRequest();
  const rebuild = table.rebuild();
  try {
    const reply = await connection.call(syncOps.join, request, patience(runtime.clock));
    if (!rebuild.startAt(reply.cut)) {
      throw new ProtocolError(
        `changes of the open table have come that do not follow ${reply.cut}`,
      );
    }
    await joined(reply);
    killPoint('iod.sync.snapshot-begun');
    recovery.enter('snapshot');
    for (const part of await compare(connection, rebuild, runtime)) {
      await takeSnapshot(connection, rebuild, part, runtime);
    }
    rebuild.complete();
    recovery.enter('confirm');
    await confirm(connection, rebuild, parts);
    killPoint('iod.sync.before-swap');
    recovery.swapped(table.swap(rebuild));
    killPoint('iod.sync.after-swap');
  } finally {
    table.abandon(rebuild);
  }
}

/** What is known already need not travel. @returns the parts that must */
async function compare(
  connection: Connection,
  rebuild: Rebuild,
  { clock, killPoint }: ResyncParts['runtime'],
): Promise<readonly OpenPart[]> {
  if (!rebuild.knowsSome) return [allOpens];
  // Mostly nothing has changed.
  const begin = 0 as Handle;
  const all = await connection.call(
    syncOps.compare,
    { after: begin, whole: true },
    patience(clock),
  );
  if (rebuild.takeKnown(all.ranges).length === 0) {
    killPoint('iod.sync.compared');
    return [];
  }
  const ranges: OpenRange[] = [];
  for (;;) {
    const after = ranges.at(-1)?.upTo ?? begin;
    const request = { after, whole: false };
    const page = await connection.call(syncOps.compare, request, patience(clock));
    for (const range of page.ranges) ranges.push(range);
    if (page.done) break;
    if ((ranges.at(-1)?.upTo ?? 0) <= after) {
      throw new ProtocolError(`a comparison of opens that does not get beyond file ${after}`);
    }
  }
  const parts = rebuild.takeKnown(ranges);
  killPoint('iod.sync.compared');
  return parts;
}

async function takeSnapshot(
  connection: Connection,
  rebuild: Rebuild,
  { after, upTo }: OpenPart,
  { clock, killPoint }: ResyncParts['runtime'],
): Promise<void> {
  for (let place: OpenPlace | undefined = after; place !== undefined;) {
    const { entries, next }: Page = await connection.call(
      syncOps.snapshot,
      { after: place, upTo },
      patience(clock),
    );
    rebuild.add(entries);
    killPoint('iod.sync.snapshot-chunk');
    if (next !== undefined && !isBehind(next, place)) {
      throw new ProtocolError(`a snapshot that does not get beyond file ${place.handle}`);
    }
    place = next;
  }
}

function isBehind(next: OpenPlace, place: OpenPlace): boolean {
  if (next.handle === place.handle) return next.session > place.session;
  return next.handle > place.handle;
}

/** The mgr says no as long as it has something left to do here, such as a truncate. */
async function confirm(
  connection: Connection,
  rebuild: Rebuild,
  { runtime: { clock, random }, lease }: ResyncParts,
): Promise<void> {
  for (let attempts = 1; ; attempts++) {
    const sentAt = clock.now();
    const { caughtUp, sequence } = await connection.call(
      syncOps.confirm,
      { sequence: rebuild.upTo },
      patience(clock),
    );
    if (caughtUp && sequence <= rebuild.upTo) {
      lease.renew(sentAt);
      return;
    }
    await sleep(clock, retryDelayMs(attempts, random));
  }
}

function patience(clock: Clock): { readonly deadline: number } {
  return { deadline: clock.now() + limits.callDeadlineDefaultMs };
}

function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.timer(delayMs, resolve);
  });
}
