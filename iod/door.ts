/** Who may connect to an iod: clients, by the key of their session or of the cluster. */
import { type Key, sessionKey } from '../shared/auth.ts';
import { FsError } from '../shared/errno.ts';
import type { Peer } from '../shared/rpc/connection.ts';
import { type Doorkeeper, type Hello, requireKey } from '../shared/rpc/handshake.ts';
import type { SessionId } from '../shared/units.ts';
import type { Access } from './access.ts';

/** Servers never connect to an iod: the mgr asks over the connection that the iod has made. */
export function makeDoor(secret: Key, access: Access): Doorkeeper['admit'] {
  return (hello) => {
    const { role, node, incarnation, key: kind } = hello;
    if (role !== 'client') {
      throw new FsError('EPERM', { what: `no ${role} connects to an iod (SCENARIOS 260)` });
    }
    const session = kind === 'session' ? sessionOf(hello) : undefined;
    const peer: Peer = {
      role,
      node,
      incarnation,
      trusted: kind !== 'session',
      session,
      user: undefined,
    };
    if (session !== undefined) {
      if (access.isFenced(session)) {
        const what = `session ${session} was ended by the mgr`;
        throw new FsError('ESTALE', { id: 'WEFT_E_SESSION_LOST', what });
      }
      return { key: sessionKey(secret, session), peer };
    }
    requireKey(kind, secret);
    if (kind === 'token') {
      throw new FsError('EKEYREJECTED', {
        id: 'WEFT_E_BAD_KEY',
        what: 'a token opens a session at the mgr; an iod knows sessions only',
      });
    }
    return { key: secret, peer };
  };
}

function sessionOf({ keyName }: Hello): SessionId {
  const session = Number(keyName);
  if (/^[1-9]\d{0,15}$/.test(keyName) && Number.isSafeInteger(session)) {
    return session as SessionId;
  }
  throw new FsError('EKEYREJECTED', {
    id: 'WEFT_E_BAD_KEY',
    what: `'${keyName}' is no number of a session`,
  });
}
