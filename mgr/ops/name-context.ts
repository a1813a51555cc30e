/** What an operation on names works with. Whoever runs it takes its changes back when it fails. */
import { FsError } from '../../shared/errno.ts';
import type { SessionId, Timestamp } from '../../shared/units.ts';
import type { Attr } from '../../shared/wire/values.ts';
import type { Identity } from '../../shared/inherited.ts';
import type { MetaView } from '../store/batch.ts';
import type { Inode } from '../store/rows.ts';
import type { Holders } from './holders.ts';

export interface Caller extends Identity {
  readonly session: SessionId;
}

export interface NameContext {
  readonly view: MetaView;
  readonly who: Caller;
  /** One time for all that the operation stamps. */
  readonly now: Timestamp;
  /** Iods in the iodtab: what new layouts wrap around. */
  readonly iodTotal: number;
  /** Bytes that a new file may have in the mgr's store; 0: it has none there. */
  readonly smallFileBytes: number;
  readonly holders: Holders;
}

/** The same operation, for somebody for whom root makes something. @throws FsError EPERM */
export function onBehalfOf(context: NameContext, maker: Identity | undefined): NameContext {
  if (maker === undefined) return context;
  const { view, who, now, iodTotal, smallFileBytes, holders } = context;
  if (who.uid !== 0) throw new FsError('EPERM', { what: `uid ${who.uid} acts for nobody else` });
  const { session } = who;
  return { view, now, iodTotal, smallFileBytes, holders, who: { ...maker, session } };
}

/** The reply of what either succeeds or throws. */
export type Done = Readonly<Record<string, never>>;

export type NameHandler<Q, R> = (context: NameContext, request: Q) => R;

/**
 * @param sizeExact false when an iod that may know of more bytes could not be asked
 * @param size what the iods say, when they were asked
 */
export function attrOf(inode: Inode, sizeExact = true, size: number = inode.size): Attr {
  return {
    handle: inode.handle,
    kind: inode.kind,
    mode: inode.mode,
    links: inode.links,
    uid: inode.uid,
    gid: inode.gid,
    device: inode.device,
    size,
    accessed: inode.accessed,
    modified: inode.modified,
    changed: inode.changed,
    born: inode.born,
    layout: inode.layout,
    place: inode.place,
    sizeExact,
    holes: inode.mayHaveHoles ? undefined : 0,
    right: false,
  };
}
