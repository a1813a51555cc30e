/** Messages that the mgr serves about sessions: how one begins, is taken up again, and ends. */
import { limits } from '../limits.ts';
import { bool, bytes, empty, list, optional, struct, text, u16, u32, u8 } from './codec.ts';
import { change, client, op } from './op.ts';
import { cap, id32, members, session } from './values.ts';

const sessionReply = struct({
  session,
  /** The session's own key, hidden under the key of this connection (see auth.ts). */
  hiddenKey: id32,
  leaseMs: u32,
  hostId: text(128),
  members,
  uid: u32,
  gid: u32,
  groups: list(u32, limits.groupsMax),
  /** It may change nothing. */
  readOnly: bool,
  /** The mgr may have lost some of its opens and closes: before all else it is to `declare`. */
  declare: bool,
});

/** An open; with slot and sequence of the change that closes it, if that has no answer yet. */
const declaredOpen = struct({ cap, rights: u8, slot: u16, sequence: u32 });

export const sessionOps = {
  openSession: op(
    100,
    'Begins a session. The uid that it gets is decided here, by policy, not by the client.',
    { from: client, class: 'read', resend: 'never' },
    struct({ name: text(255), uid: u32, gid: u32, groups: list(u32, limits.groupsMax) }),
    sessionReply,
  ),
  attachSession: op(
    101,
    'Takes the session up again on a new connection (proved by the session key) and fences the old one. Who owes something that was lent is back, and without rights, when it asks for them anew with `cache`.',
    { from: client, class: 'read', resend: 'never' },
    struct({ owes: bool }),
    sessionReply,
  ),
  closeSession: op(
    102,
    'Ends the session: all it has open is closed.',
    { from: client, class: 'read', resend: 'idempotent' },
    empty,
    empty,
  ),
  cache: op(
    103,
    'From now on something may be lent to the session over this connection, and with `attributes` those that go over it may come with the right to cache them.',
    { from: client, class: 'read', resend: 'never' },
    struct({ attributes: bool }),
    empty,
  ),
  abandon: op(
    104,
    'The caller of the change before it in its slot has stopped waiting: the reply tells what was made, when it is done; what was not made by then never is.',
    change,
    struct({ sequence: u32 }),
    struct({ made: optional(struct({ op: u16, reply: bytes(limits.changeReplyBytesMax) })) }),
  ),
  declare: op(
    105,
    'After a power loss of the mgr: all that the session has open, in parts. `opening` are opens that have no answer yet.',
    { from: client, class: 'read', resend: 'never' },
    struct({
      opens: list(declaredOpen, limits.opensPerDeclareMax),
      opening: list(struct({ slot: u16, sequence: u32, rights: u8 }), limits.slotsPerSession),
      last: bool,
    }),
    empty,
  ),
};
