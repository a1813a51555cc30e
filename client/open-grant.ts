/** What a file is opened with. */
import type { Layout } from '../shared/stripe.ts';
import type { Handle } from '../shared/units.ts';
import type { Cap, InodeKind } from '../shared/wire/values.ts';
import type { Control } from './control.ts';
import type { IodPool } from './iod-pool.ts';
import type { MgrSession } from './mgr-session.ts';

/** What an open file needs of the file system it belongs to. */
export interface FileSource {
  readonly session: MgrSession;
  readonly iods: IodPool;
  readonly deadlineMs: number;
}

export interface OpenGrant {
  /** Of all that the session has open of this file. */
  readonly cap: Cap;
  /** Of this open alone. */
  readonly rights: number;
  readonly layout: Layout;
  /** Bytes that it has, if not more; 0 where nothing is said. */
  readonly size?: number;
  /** Bytes that it may have at the mgr, if they are there. */
  readonly roomAtMgr: number | undefined;
  readonly append: boolean;
  readonly durable: boolean;
  /** As the user gave it: for errors. */
  readonly path: string;
  /** Of a file that the mgr does not know yet: it is told of it, and the file is `born`. Rejects when its call gives up. */
  readonly bear?: (control: Control) => Promise<void>;
  readonly handle: Handle;
  readonly kind: InodeKind;
}
