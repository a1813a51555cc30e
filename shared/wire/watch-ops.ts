/** Messages by which a client watches files and directories. Codes 170-179, from clients. */
import { bool, empty, struct, u32 } from './codec.ts';
import { op } from './op.ts';
import { handle } from './values.ts';

export const watchOps = {
  watch: op(
    170,
    'From now on the changes of this inode, and with `recursive` of all below it, go over this connection.',
    { from: ['client'], class: 'read', resend: 'idempotent' },
    struct({ watch: u32, handle, recursive: bool }),
    empty,
  ),
  unwatch: op(
    171,
    'The changes that this watch asked for are wanted no more.',
    { from: ['client'], class: 'read', resend: 'idempotent' },
    struct({ watch: u32 }),
    empty,
  ),
};
