/**
 * Messages of every connection, whoever is at its ends: who are you, prove it, are you there.
 * Nothing else is read from a peer before `prove` succeeded. Codes 1-15.
 */
import { choice, empty, fixed, struct, text, timestamp, u16, u53 } from './codec.ts';
import { op, type Role } from './op.ts';

const anybody: readonly Role[] = ['mgr', 'iod', 'client'];
const role = choice(['mgr', 'iod', 'client']);
const nonce = fixed(32);

export const linkOps = {
  hello: op(
    1,
    'The connector says who it is and which protocol versions it speaks; both exchange nonces, and the acceptor proves its key.',
    { from: anybody, class: 'link', resend: 'never' },
    struct({
      versionMin: u16,
      versionMax: u16,
      role,
      /** Cluster id if known, else ''. */
      cluster: text(64),
      /** Name in the iodtab, or the client's own. */
      node: text(255),
      incarnation: u53(),
      /** Which key it will prove: the cluster's, its session's, a user's token, none, or a ticket. */
      key: choice(['cluster', 'session', 'token', 'none', 'ticket']),
      /** Session number, user of the token, or name of the ticket. */
      keyName: text(255),
      nonce,
    }),
    struct({
      version: u16,
      role,
      cluster: text(64),
      node: text(255),
      incarnation: u53(),
      nonce,
      proof: fixed(32),
    }),
  ),
  prove: op(
    2,
    'The connector proves its key over both nonces. Only now anything else is read from it.',
    { from: anybody, class: 'link', resend: 'never' },
    struct({ proof: fixed(32) }),
    empty,
  ),
  ping: op(
    3,
    'Heartbeat in both directions, of who has heard nothing for a while, answered with the time; silence beyond the limit ends the connection.',
    { from: anybody, class: 'link', resend: 'idempotent' },
    empty,
    struct({ wall: timestamp }),
  ),
};
