/** Messages that tell the mgr of what was lent (decisions 20 and 21). Codes 139-141, from clients. */
import { limits } from '../limits.ts';
import { bool, bytes, list, optional, struct, timestamp, u16, u32, u8 } from './codec.ts';
import { change, lookup, op } from './op.ts';
import { attr, fileName, handle, inodeKind } from './values.ts';

/** What was done to attributes where it was not told at once. */
const settledAttr = {
  mode: u16,
  uid: u32,
  gid: u32,
  accessed: timestamp,
  modified: timestamp,
  changed: timestamp,
};

export const lentOps = {
  settle: op(
    139,
    'Gives back what was lent, with all that was done to it, and perhaps the open itself. Without attributes in the reply nothing of it is stored: somebody has changed the file since it was made.',
    change,
    struct({
      handle,
      /** Time of the last change of the file when it was lent. */
      made: timestamp,
      /** All that are in the file. */
      bytes: bytes(limits.smallFileBytesMax),
      ...settledAttr,
      /** Of the open that is given back; 0: the file stays open. */
      rights: u8,
    }),
    struct({ attr: optional(attr) }),
  ),
  settleNames: op(
    140,
    'What was taken away and then made in a directory that is lent, and what has become of the directory itself: all of it, or nothing. Directories among what was made are lent too.',
    change,
    struct({
      directory: handle,
      /** It is lent no longer. */
      back: bool,
      ...settledAttr,
      /** Names of files, of empty directories that are lent too, or of nothing. */
      removed: list(fileName, limits.namesPerSettle),
      made: list(
        struct({
          handle,
          name: fileName,
          kind: inodeKind,
          ...settledAttr,
          born: timestamp,
          /** Bytes of `contents` that are its own: of a file, or where a symbolic link leads. */
          length: u32,
        }),
        limits.namesPerSettle,
      ),
      /** Of all that was made, in turn. */
      contents: bytes(limits.settleBytesMax),
    }),
    struct({
      attr,
      /** Of each in turn: 1 when there is a right to its attributes. */
      rights: bytes(limits.namesPerSettle),
      /** The disk of the mgr is full: nothing more is to be made there. */
      isFull: bool,
    }),
  ),
  borrow: op(
    141,
    'Attributes of a directory in which the caller makes changes, and knows all names; or of a file at the iods that he alone has open, and writes. It is lent to him, if nobody else has cared for it lately.',
    lookup,
    struct({ handle }),
    struct({
      attr,
      /** As in the reply of `makeNode`. */
      lent: bool,
      roomAtMgr: u32,
      /** By the clock of the mgr. */
      now: timestamp,
    }),
  ),
};
