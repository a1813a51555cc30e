/**
 * What a session has open, as a mgr hears it that may have lost some of it with its host: files whose
 * close is not done yet, and opens of which this program does not know yet whether they were made.
 */
import { limits } from '../shared/limits.ts';
import type { Call } from '../shared/rpc/call.ts';
import { fileOps, openFlags, type sessionOps } from '../shared/wire/mgr-ops.ts';
import type { RequestOf } from '../shared/wire/op.ts';
import type { Cap } from '../shared/wire/values.ts';

type Declaration = RequestOf<typeof sessionOps.declare>;
type Open = RequestOf<typeof fileOps.open>;
/** A close, or what settles a lent file and closes it. */
export type GivingBack = Pick<RequestOf<typeof fileOps.close>, 'handle' | 'rights'>;

const givesBack: ReadonlySet<number> = new Set([fileOps.close.code, fileOps.settle.code]);

export interface HeldOpen {
  readonly cap: Cap;
  /** Of this open alone. */
  readonly rights: number;
}

/** An open file. */
export interface Holder {
  /** `undefined` when it is being given back, or was. */
  readonly held: HeldOpen | undefined;
  /** What the mgr had not synced may be gone. */
  mgrLostHost(): void;
}

/** What a call of a link is known by. */
export type Change = Pick<Call, 'op' | 'request' | 'slot' | 'sequence' | 'placed' | 'settles'>;

/**
 * @param changes that have no answer yet
 * @param capOf with which the file was opened that a close gives back
 * @returns the messages, one behind another
 */
export function declarationsOf(
  held: Iterable<HeldOpen>,
  changes: Iterable<Change>,
  capOf: (close: object) => Cap | undefined,
): Declaration[] {
  const opens = Array.from(held, (one) => ({ ...one, slot: 0, sequence: 0 }));
  const opening: Declaration['opening'][number][] = [];
  for (const change of changes) {
    const { op, request, slot, sequence } = change.settles ?? change;
    if (givesBack.has(op.code)) {
      const close = request as GivingBack;
      const cap = capOf(close);
      // One that was never sent has not been done.
      const place = change.placed ? { slot, sequence } : { slot: 0, sequence: 0 };
      if (cap !== undefined) opens.push({ cap, rights: close.rights, ...place });
    } else if (op.code === fileOps.open.code && change.placed) {
      const rights = (request as Open).flags & (openFlags.read | openFlags.write);
      opening.push({ slot, sequence, rights });
    }
  }
  const parts: Declaration[] = [];
  do {
    const part = opens.splice(0, limits.opensPerDeclareMax);
    const last = opens.length === 0;
    parts.push({ opens: part, opening: last ? opening : [], last });
  } while (parts.at(-1)?.last === false);
  return parts;
}
