/** How a session begins, is taken up again, and ends. */
import { hide, type Key, sessionKey } from '../../shared/auth.ts';
import { FsError, ProtocolError } from '../../shared/errno.ts';
import type { Acceptor } from '../../shared/rpc/acceptor.ts';
import type { Context } from '../../shared/rpc/service.ts';
import type { sessionOps } from '../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../shared/wire/op.ts';
import type { ClusterPort } from '../cluster-port.ts';
import { identityFor, type IdentityPolicy } from '../identity-policy.ts';
import type { LostOpens } from '../lost-opens.ts';
import type { ReplyCache } from '../reply-cache.ts';
import type { Rights } from '../rights.ts';
import { sessionOf } from '../session-call.ts';
import type { SessionEnd } from '../session-end.ts';
import type { Session, Sessions } from '../sessions.ts';
import type { Done } from './name-context.ts';

export interface SessionScope {
  readonly sessions: Sessions;
  readonly replies: ReplyCache;
  readonly rights: Rights;
  readonly ending: SessionEnd;
  readonly lostOpens: LostOpens;
  readonly policy: IdentityPolicy;
  readonly secret: Key;
  readonly hostId: string;
  readonly acceptor: Pick<Acceptor, 'take'>;
  readonly cluster: Pick<ClusterPort, 'members'>;
}

type SessionReply = ReplyOf<typeof sessionOps.openSession>;

/** @throws FsError EINVAL (the connection has a session), EACCES (unknown user), EAGAIN (too many) */
export function openSession(
  scope: SessionScope,
  request: RequestOf<typeof sessionOps.openSession>,
  context: Context,
): SessionReply {
  const { connection, peer } = context;
  if (peer.session !== undefined && scope.sessions.has(peer.session)) {
    throw new FsError('EINVAL', { what: `this connection has session ${peer.session} already` });
  }
  const identity = identityFor(scope.policy, peer, request);
  const session = scope.sessions.begin(connection, request.name, identity, peer);
  scope.replies.begin(session.session);
  scope.acceptor.take(connection, { ...peer, session: session.session });
  return replyOf(scope, session, context);
}

/** @throws FsError ESTALE, WEFT_E_SESSION_LOST; EPERM without the session's key */
export function attachSession(
  scope: SessionScope,
  { owes }: RequestOf<typeof sessionOps.attachSession>,
  context: Context,
): SessionReply {
  const { connection, peer } = context;
  if (peer.session === undefined) {
    throw new FsError('EPERM', { what: 'a session is taken up again with its own key' });
  }
  const session = scope.sessions.attach(peer.session, connection);
  session.owes = owes;
  // Before it comes back, a client drops all that it has cached.
  if (!owes) scope.rights.release(session.session);
  if (scope.lostOpens.isAwaited(session)) scope.lostOpens.restart(session);
  else scope.sessions.isBack(session);
  return replyOf(scope, session, context);
}

/** @throws FsError as `sessionOf`, and as `LostOpens.declare` */
export async function declareOpens(
  { sessions, lostOpens }: SessionScope,
  request: RequestOf<typeof sessionOps.declare>,
  context: Context,
): Promise<Done> {
  await lostOpens.declare(sessionOf(sessions, context), request);
  return {};
}

/** Answered when nothing is left of the session. @throws FsError as `sessionOf` */
export async function closeSession(scope: SessionScope, context: Context): Promise<Done> {
  const session = sessionOf(scope.sessions, context);
  scope.rights.release(session.session);
  await scope.ending.end(session);
  return {};
}

/** @throws FsError as `sessionOf` */
export function cacheNames(
  scope: SessionScope,
  { attributes }: RequestOf<typeof sessionOps.cache>,
  context: Context,
): Done {
  const session = sessionOf(scope.sessions, context);
  // Whoever has owed something has settled it.
  session.owes = false;
  scope.rights.hold(session.session, context.connection, { attributes });
  if (!scope.lostOpens.isAwaited(session)) scope.sessions.isBack(session);
  return {};
}

function replyOf(
  { sessions, secret, hostId, cluster, lostOpens }: SessionScope,
  whose: Session,
  { connection }: Context,
): SessionReply {
  const { session, uid, gid, groups, readOnly } = whose;
  const { binding } = connection;
  if (binding === undefined) throw new ProtocolError('a session without a handshake');
  return {
    session,
    hiddenKey: hide(binding.key, binding.transcript, sessionKey(secret, session)),
    leaseMs: sessions.leaseMs,
    hostId,
    members: cluster.members(),
    uid,
    gid,
    groups,
    readOnly,
    declare: lostOpens.isAwaited(whose),
  };
}
