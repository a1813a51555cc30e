/** Names of messages, for people: the wire and the code know them by number or by definition. */
import { iodOps } from './iod-ops.ts';
import { linkOps } from './link-ops.ts';
import { mgrOps } from './mgr-ops.ts';
import type { OpTable } from './op.ts';

const names = new Map(
  [linkOps, mgrOps, iodOps].flatMap((ops: OpTable) =>
    Object.entries(ops).map(([name, { code }]) => [code, name] as const),
  ),
);

/** @returns e.g. `lookup`; `message 999` for a number that no message has */
export function opName(code: number): string {
  return names.get(code) ?? `message ${code}`;
}
