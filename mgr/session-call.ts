/** A request of a session: what the operations get of it. */
import { FsError } from '../shared/errno.ts';
import type { Context } from '../shared/rpc/service.ts';
import type { Clock } from '../shared/runtime/runtime.ts';
import type { Timestamp } from '../shared/units.ts';
import { fileOps, openFlags, sessionOps } from '../shared/wire/mgr-ops.ts';
import type { Op, RequestOf } from '../shared/wire/op.ts';
import type { Holders } from './ops/holders.ts';
import type { NameContext } from './ops/name-context.ts';
import type { Session, Sessions } from './sessions.ts';
import type { MetaView } from './store/batch.ts';

/** What all requests have in common. */
export interface CallScope {
  readonly view: MetaView;
  readonly clock: Clock;
  readonly sessions: Sessions;
  readonly holders: Holders;
  readonly iodTotal: number;
  readonly smallFileBytes: number;
}

export class SessionCall implements NameContext {
  readonly view: MetaView;
  readonly who: Session;
  readonly now: Timestamp;
  readonly iodTotal: number;
  readonly smallFileBytes: number;
  readonly holders: Holders;
  readonly context: Context;

  /** @throws FsError ESTALE (the session has ended), EPERM (the connection has none) */
  constructor(scope: CallScope, context: Context) {
    this.view = scope.view;
    this.who = sessionOf(scope.sessions, context);
    this.now = scope.clock.wall();
    this.iodTotal = scope.iodTotal;
    this.smallFileBytes = scope.smallFileBytes;
    this.holders = scope.holders;
    this.context = context;
  }

  get deadline(): number {
    return this.context.deadline;
  }
}

/** The session that the connection of a request speaks for. @throws FsError as above */
export function sessionOf(sessions: Sessions, { connection, peer }: Context): Session {
  if (peer.session === undefined) {
    throw new FsError('EPERM', { what: 'this needs a session, and the connection has none' });
  }
  const session = sessions.get(peer.session);
  if (session.connection === connection) return session;
  throw new FsError('EPERM', {
    what: `session ${peer.session} is not attached on this connection`,
  });
}

/**
 * What a session that only reads may not send: any change but to open for reading, and to close.
 * @throws FsError EROFS
 */
export function requireWritable({ code }: Op, request: unknown, { peer }: Context): void {
  if (peer.readOnly !== true || givesBack.has(code)) return;
  if (code === fileOps.open.code) {
    const { flags } = request as RequestOf<typeof fileOps.open>;
    if ((flags & ~harmlessFlags) === 0) return;
  }
  throw new FsError('EROFS', { what: `${peer.node} was let in to read only` });
}

const givesBack: ReadonlySet<number> = new Set([fileOps.close.code, sessionOps.abandon.code]);
const harmlessFlags = openFlags.read | openFlags.directory | openFlags.noFollow;

/** Directories are lent to root, and with them handles for what is made there. @throws FsError EPERM */
export function requireRoot({ session, uid }: Session): void {
  if (uid === 0) return;
  throw new FsError('EPERM', { what: `session ${session} of uid ${uid} gets no handles` });
}

/** @throws FsError EACCES when the peer has not proved the key of the cluster */
export function requireTrusted({ peer }: Context): void {
  if (peer.trusted) return;
  throw new FsError('EACCES', { what: `${peer.node} has not proved the key of the cluster` });
}
