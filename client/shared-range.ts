/** A range of a file, read directly and not copied: it stays where the thread that reads has put it. */
import type { SharedBytes } from '../shared/runtime/runtime.ts';
import type { Layout } from '../shared/stripe.ts';
import type { DirectFile } from './direct-reads.ts';
import { type IoPart, planIo } from './io-plan.ts';

/** Bytes of a file, in pieces one behind another, in memory that is given back. */
export interface SharedRange {
  readonly segments: readonly Uint8Array[];
  /** Once. */
  release(): void;
}

/** writev(2) takes 1 024, and what stripes are so short is not read faster without a copy. */
const segmentsMax = 256;
const nothing = new Uint8Array();

/** @returns all of it; `undefined`, now or later, when that cannot be. Never rejects */
export function shareRange({
  direct,
  layout,
  position,
  length,
  deadline,
}: {
  readonly direct: DirectFile;
  readonly layout: Layout;
  readonly position: number;
  readonly length: number;
  readonly deadline: number;
}): Promise<SharedRange | undefined> | undefined {
  const parts = planIo(layout, position, length, []);
  const pieces = parts.reduce((sum, part) => sum + part.pieces.length, 0);
  if (pieces > segmentsMax) return undefined;
  const begun = parts.flatMap((part) => direct.read(part, deadline) ?? []);
  return begun.length === 0 ? undefined : allOrNone(parts, begun);
}

async function allOrNone(
  parts: readonly IoPart[],
  begun: readonly Promise<SharedBytes | undefined>[],
): Promise<SharedRange | undefined> {
  const read = (await Promise.all(begun)).filter((one) => one !== undefined);
  const release = (): void => {
    for (const one of read) one.release();
  };
  const isWhole = (part: IoPart, i: number): boolean => read[i]?.bytes.length === part.length;
  if (read.length === parts.length && parts.every(isWhole)) {
    return { segments: inOrder(parts, read), release };
  }
  release();
  return undefined;
}

/** @returns the pieces of all parts as they follow each other in the file */
function inOrder(
  parts: readonly IoPart[],
  read: readonly Pick<SharedBytes, 'bytes'>[],
): readonly Uint8Array[] {
  const found = parts.flatMap(({ pieces }, i) => {
    let end = 0;
    return pieces.map(({ at, length }) => {
      end += length;
      return { at, bytes: read[i]?.bytes.subarray(end - length, end) ?? nothing };
    });
  });
  return found.toSorted((a, b) => a.at - b.at).map(({ bytes }) => bytes);
}
