/** Who a session acts for. The mgr decides, not the client (SCENARIOS 263). Pure. */
import { FsError } from '../shared/errno.ts';
import type { Peer } from '../shared/rpc/connection.ts';
import type { Identity } from '../shared/inherited.ts';

export interface IdentityPolicy {
  /** Root of a client is nobody here. */
  readonly rootSquash: boolean;
  /** Users of tokens by name. A name that is not here may be a number: `UID` or `UID:GID`. */
  readonly users: ReadonlyMap<string, Identity>;
}

/** uid and gid of nobody, as Linux has it. */
export const nobody = 65_534;

const idMax = 0xffff_fffe;

/**
 * A peer with the cluster's key may name its user: it is a host of the cluster, and such a host
 * is trusted as a whole. A token names its user by itself, whatever its holder claims.
 * @throws FsError EACCES for a token of a user who is nobody here
 */
export function identityFor(policy: IdentityPolicy, peer: Peer, claimed: Identity): Identity {
  const identity = peer.user === undefined ? claimed : userOf(policy, peer.user);
  if (!policy.rootSquash) return identity;
  const { uid, gid, groups } = identity;
  return { uid: squashed(uid), gid: squashed(gid), groups: groups.filter((group) => group !== 0) };
}

function userOf({ users }: IdentityPolicy, name: string): Identity {
  const listed = users.get(name);
  if (listed !== undefined) return listed;
  const [, uid, gid] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(name) ?? [];
  const identity = { uid: Number(uid), gid: gid === undefined ? nobody : Number(gid), groups: [] };
  if (identity.uid <= idMax && identity.gid <= idMax) return identity;
  throw new FsError('EACCES', {
    what: `the token's user ${JSON.stringify(name)} is not known here`,
  });
}

function squashed(id: number): number {
  return id === 0 ? nobody : id;
}
