/** Names of messages, for people: the wire and the code know them by number or by definition. */
import { clientOps } from './client-ops.ts';
import { iodOps } from './iod-ops.ts';
import { linkOps } from './link-ops.ts';
import { mgrOps } from './mgr-ops.ts';
import type { OpTable } from './op.ts';

const named = new Map(
  [linkOps, mgrOps, iodOps, clientOps].flatMap((ops: OpTable) =>
    Object.entries(ops).map(([name, op]) => [op.code, { name, op }] as const),
  ),
);

/** @returns e.g. `lookup`; `message 999` for a number that no message has */
export function opName(code: number): string {
  return named.get(code)?.name ?? `message ${code}`;
}

/** Whether the message travels with a slot and a sequence. */
export function hasSlot(code: number): boolean {
  return named.get(code)?.op.traits.resend === 'slot';
}

/** Whether the message may come at any time: a heartbeat, or a question about the cluster. */
export function belongsToLink(code: number): boolean {
  return named.get(code)?.op.traits.class === 'link';
}
