import { decode } from '../../shared/wire/codec.ts';
import { fileOps, nameOps } from '../../shared/wire/mgr-ops.ts';
import type { Attr } from '../../shared/wire/values.ts';
import type { FileSizes } from '../file-sizes.ts';
import type { ReplyRow } from '../store/rows.ts';

/**
 * A stored reply of a truncation may be given again only when the iods have carried it out: it is
 * stored before that, and the mgr that saw to it may have crashed in between.
 */
export function finishAgain(sizes: FileSizes) {
  return (row: ReplyRow, deadline: number): Promise<void> | undefined => {
    const attr = attrIn(row);
    return attr?.kind === 'file' ? sizes.settled(attr.handle, deadline) : undefined;
  };
}

function attrIn({ op, body }: ReplyRow): Attr | undefined {
  switch (op) {
    case fileOps.open.code:
      return decode(fileOps.open.reply, body).attr;
    case nameOps.setAttr.code:
      return decode(nameOps.setAttr.reply, body).attr;
    default:
      return undefined;
  }
}
