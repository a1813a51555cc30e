/** What the mgr keeps durably: one interface a table, and the changes a batch may hold. */
import type { Layout } from '../../shared/stripe.ts';
import type { ByteString, Handle, IodIndex, SessionId, Timestamp } from '../../shared/units.ts';
import type { BytesPlace, InodeKind, LayoutWish } from '../../shared/wire/values.ts';

export interface Inode {
  readonly handle: Handle;
  readonly kind: InodeKind;
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly device: number;
  /** Bytes known durably; while a session holds it for writing the iods may know of more. */
  readonly size: number;
  readonly accessed: Timestamp;
  readonly modified: Timestamp;
  readonly changed: Timestamp;
  readonly born: Timestamp;
  /** Files only. */
  readonly layout: Layout | undefined;
  /** Of a file that has its bytes here the size is exact, also while somebody writes it. */
  readonly place: BytesPlace;
  /** At the iods it may take less than its size: they are to be asked. */
  readonly mayHaveHoles: boolean;
  /** Symlinks only. */
  readonly target: ByteString | undefined;
  /** Directories only: where `..` leads. The root is its own parent. */
  readonly parent: Handle | undefined;
  /** Directories only: what files made below get, where they do not say. */
  readonly defaults:
    | { readonly layout: LayoutWish; readonly retentionSeconds: number | undefined }
    | undefined;
}

export interface DirentRow {
  readonly parent: Handle;
  readonly name: ByteString;
  readonly handle: Handle;
  readonly kind: InodeKind;
  /** Grows with every entry ever made in the cluster, so a listing can go on from it for ever. */
  readonly cookie: number;
}

export interface SessionRow {
  readonly session: SessionId;
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** True when the client proved the cluster's key (and so may use what needs it). */
  readonly trusted: boolean;
  /** It may change nothing. */
  readonly readOnly: boolean;
}

/** Opens of one session on one handle: counts by right, and the last number in the stream. */
export interface OpenRow {
  readonly handle: Handle;
  readonly session: SessionId;
  readonly readers: number;
  readonly writers: number;
  readonly sequence: number;
  /** When the first of them began, in seconds since 1970; 0: nobody knows. */
  readonly since: number;
}

/** An open as it is loaded at a start. */
export interface StoredOpen extends OpenRow {
  /** Where the file's bytes are: which iods must know of it. `undefined`: there is no such file. */
  readonly layout: Layout | undefined;
}

/** A directory whose session makes names in it that only it knows yet (decision 21). */
export interface LentRow {
  readonly handle: Handle;
  readonly session: SessionId;
}

/** The reply to the last mutation in a slot, stored with the change itself (DESIGN promise 5). */
export interface ReplyRow {
  readonly session: SessionId;
  readonly slot: number;
  readonly sequence: number;
  readonly op: number;
  /** Encoded fields of the reply. */
  readonly body: Uint8Array;
}

/**
 * Work that must reach iods although they may be away: resumable, one row an iod and handle, so
 * that a removal replaces a truncation that is still to be done.
 */
export interface PendingWork {
  readonly handle: Handle;
  readonly iod: IodIndex;
  readonly kind: 'remove' | 'truncate';
  /** Truncate: length that the object on this iod must have. */
  readonly length: number;
}

/** Work as it is stored. */
export interface PendingRow extends PendingWork {
  /** Another one with every put: the same work, asked for again, is to be done again. */
  readonly number: number;
}

export interface MemberRow {
  readonly index: IodIndex;
  readonly name: string;
  /** Address as the iodtab has it. */
  readonly host: string;
  readonly port: number;
  /** Where it listened last, when the system chose the port. */
  readonly boundPort: number;
  readonly unixPath: string;
  readonly hostId: string;
  /** Identity of its disk as first seen, in hex; '' before. */
  readonly storeId: string;
  readonly incarnation: number;
  /** Id of its last start that was let in, in hex; '' before. */
  readonly life: string;
  readonly evicted: boolean;
}

/** Small facts by name: cluster id, generation, running version, next handle, next session … */
export interface SettingRow {
  readonly key: string;
  readonly value: string;
}

export type Mutation =
  | { readonly kind: 'put-inode'; readonly row: Inode }
  /** Takes its extended attributes along. */
  | { readonly kind: 'delete-inode'; readonly handle: Handle }
  | { readonly kind: 'put-dirent'; readonly row: DirentRow }
  | { readonly kind: 'delete-dirent'; readonly parent: Handle; readonly name: ByteString }
  | {
      readonly kind: 'put-xattr';
      readonly handle: Handle;
      readonly name: ByteString;
      readonly value: Uint8Array;
    }
  | { readonly kind: 'delete-xattr'; readonly handle: Handle; readonly name: ByteString }
  | { readonly kind: 'put-contents'; readonly handle: Handle; readonly bytes: Uint8Array }
  | { readonly kind: 'delete-contents'; readonly handle: Handle }
  | { readonly kind: 'put-session'; readonly row: SessionRow }
  /** Takes its opens, its replies and what is lent to it along. */
  | { readonly kind: 'delete-session'; readonly session: SessionId }
  | { readonly kind: 'put-open'; readonly row: OpenRow }
  | { readonly kind: 'delete-open'; readonly handle: Handle; readonly session: SessionId }
  | { readonly kind: 'put-lent'; readonly row: LentRow }
  | { readonly kind: 'delete-lent'; readonly handle: Handle }
  | { readonly kind: 'put-reply'; readonly row: ReplyRow }
  | { readonly kind: 'put-pending'; readonly row: PendingWork }
  /** Only when the number is still this one: it may have been put anew while its work was done. */
  | { readonly kind: 'delete-pending'; readonly row: PendingRow }
  | { readonly kind: 'put-member'; readonly row: MemberRow }
  | { readonly kind: 'put-setting'; readonly row: SettingRow };
