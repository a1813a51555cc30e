/** Who may connect to the mgr, and which key it must prove (DESIGN 4, MISSION M14). */
import { type Key, sessionKey, ticketKey, tokenKey } from '../shared/auth.ts';
import { FsError } from '../shared/errno.ts';
import { type Doorkeeper, type Hello, requireKey } from '../shared/rpc/handshake.ts';
import type { SessionId } from '../shared/units.ts';
import type { Drills } from './drills.ts';
import type { Sessions } from './sessions.ts';
import type { Tickets } from './tickets.ts';

export interface DoorOptions {
  readonly secret: Key;
  readonly sessions: Sessions;
  readonly tickets: Tickets;
  readonly drills: Drills;
}

type Admission = ReturnType<Doorkeeper['admit']>;

/** @returns what the acceptor asks of everyone who says hello */
export function makeDoor(options: DoorOptions): Doorkeeper['admit'] {
  return (hello) => {
    requireKey(hello.key, options.secret);
    options.drills.requireWhole(hello);
    if (hello.role === 'client') return admitClient(options, hello);
    if (hello.role === 'iod') return admitIod(options, hello);
    throw new FsError('EPERM', { what: `${hello.node}: a mgr does not connect to a mgr` });
  };
}

function admitClient({ secret, sessions, tickets }: DoorOptions, hello: Hello): Admission {
  const { node, incarnation, keyName } = hello;
  const peer = { role: 'client', node, incarnation, session: undefined, user: undefined } as const;
  if (hello.key === 'token') {
    return { key: tokenKey(secret, keyName), peer: { ...peer, trusted: false, user: keyName } };
  }
  if (hello.key === 'session') {
    const { session, trusted, readOnly } = sessions.get(sessionNumber(keyName));
    return { key: sessionKey(secret, session), peer: { ...peer, trusted, readOnly, session } };
  }
  if (hello.key === 'ticket') {
    const { user, readOnly } = tickets.take(keyName);
    return { key: ticketKey(secret, keyName), peer: { ...peer, trusted: true, readOnly, user } };
  }
  // The key of the cluster; or none, which only a cluster without a secret lets pass.
  return { key: secret, peer: { ...peer, trusted: true } };
}

/** Whether it is a member, and comes from the host of its line, is asked when it joins. */
function admitIod({ secret }: DoorOptions, { node, incarnation, key }: Hello): Admission {
  if (key !== 'cluster' && key !== 'none') {
    throw new FsError('EPERM', { what: `iod ${node} must prove the key of the cluster` });
  }
  return {
    key: secret,
    peer: { role: 'iod', node, incarnation, trusted: true, session: undefined, user: undefined },
  };
}

/** @returns 0, which no session has, for what is no number */
function sessionNumber(keyName: string): SessionId {
  return (/^\d{1,15}$/.test(keyName) ? Number(keyName) : 0) as SessionId;
}
