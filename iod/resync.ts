/**
 * How an iod learns who has which file open: it joins (the mgr cuts the stream of changes there),
 * takes a snapshot in pages while the changes already come in, and swaps the new table in when the
 * mgr confirms that nothing is missing (DESIGN 4, SCENARIOS 33-35). All of it belongs to one
 * connection: whatever cuts it, the next one begins anew, and the old table was never touched.
 */
import { ProtocolError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { Connection } from '../shared/rpc/connection.ts';
import { retryDelayMs } from '../shared/rpc/retry.ts';
import type { Clock, Runtime } from '../shared/runtime/runtime.ts';
import type { Handle, SessionId } from '../shared/units.ts';
import { syncOps } from '../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../shared/wire/op.ts';
import type { Lease } from './lease.ts';
import type { OpenTable, Rebuild } from './open-table.ts';
import type { SyncRecovery } from './sync-recovery.ts';

export type JoinRequest = RequestOf<(typeof syncOps)['join']>;
export type JoinReply = ReplyOf<(typeof syncOps)['join']>;

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
    await takeSnapshot(connection, rebuild, runtime);
    recovery.enter('confirm');
    await confirm(connection, rebuild, parts);
    killPoint('iod.sync.before-swap');
    recovery.swapped(table.swap(rebuild));
    killPoint('iod.sync.after-swap');
  } finally {
    table.abandon(rebuild);
  }
}

async function takeSnapshot(
  connection: Connection,
  rebuild: Rebuild,
  { clock, killPoint }: ResyncParts['runtime'],
): Promise<void> {
  let afterHandle = 0 as Handle;
  let afterSession = 0 as SessionId;
  for (;;) {
    const { entries, done } = await connection.call(
      syncOps.snapshot,
      { afterHandle, afterSession },
      patience(clock),
    );
    rebuild.add(entries);
    killPoint('iod.sync.snapshot-chunk');
    const last = entries.at(-1);
    if (done) {
      rebuild.complete();
      return;
    }
    if (last === undefined) throw new ProtocolError('an empty page of a snapshot that goes on');
    ({ handle: afterHandle, session: afterSession } = last);
  }
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
