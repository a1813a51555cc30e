import { decode } from '../../shared/wire/codec.ts';
import { fileOps, nameOps, sessionOps } from '../../shared/wire/mgr-ops.ts';
import type { Attr } from '../../shared/wire/values.ts';
import type { FileSizes } from '../file-sizes.ts';
import type { ReplyRow } from '../store/rows.ts';

/** @returns what to wait for before a stored reply may be given; `undefined`: nothing */
export type FinishAgain = (row: ReplyRow, deadline: number) => Promise<void> | undefined;

/**
 * A stored reply of a truncation may be given again only when the iods have carried it out: it is
 * stored before that, and the mgr that saw to it may have crashed in between.
 */
export function finishAgain(sizes: FileSizes): FinishAgain {
  return (row, deadline) => {
    const attr = attrIn(row);
    return attr?.kind === 'file' ? sizes.settled(attr.handle, deadline) : undefined;
  };
}

function attrIn({ op, body }: Pick<ReplyRow, 'op' | 'body'>): Attr | undefined {
  switch (op) {
    case fileOps.open.code:
      return decode(fileOps.open.reply, body).attr;
    case nameOps.setAttr.code:
      return decode(nameOps.setAttr.reply, body).attr;
    case sessionOps.abandon.code: {
      const { made } = decode(sessionOps.abandon.reply, body);
      // An open that nobody has is closed, whatever becomes of its truncation.
      if (made === undefined || made.op === fileOps.open.code) return undefined;
      return attrIn({ op: made.op, body: made.reply });
    }
    default:
      return undefined;
  }
}
