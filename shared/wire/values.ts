/** Structures that several messages use. */
import { limits } from '../limits.ts';
import type { Handle, IodIndex, SessionId } from '../units.ts';
import {
  bool,
  choice,
  fixed,
  list,
  name,
  optional,
  struct,
  text,
  timestamp,
  u16,
  u32,
  u53,
  u8,
  type ValueOf,
} from './codec.ts';

export const handle = u53<Handle>();
export const session = u53<SessionId>();
export const iodIndex = u53<IodIndex>(limits.iodsMax - 1);
export const fileName = name(limits.nameBytesMax);
export const pathName = name(limits.pathBytesMax);
export const offset = u53();
export const id32 = fixed(32);

/**
 * Where a file's bytes are: PVFS's three words, and how many iods there were when it was made, so
 * that columns that wrap keep their iods when the cluster grows (SCENARIOS 247).
 */
export const layout = struct({ base: u16, pcount: u16, ssize: u32, total: u16 });

/** What a caller may ask of a new file's layout; what is missing comes from the directory. */
export const layoutWish = struct({
  base: optional(u16),
  pcount: optional(u16),
  ssize: optional(u32),
});
export type LayoutWish = ValueOf<typeof layoutWish>;
export const anyLayout: LayoutWish = { base: undefined, pcount: undefined, ssize: undefined };

export const inodeKinds = [
  'file',
  'directory',
  'symlink',
  'fifo',
  'socket',
  'character',
  'block',
] as const;
export const inodeKind = choice(inodeKinds);
export type InodeKind = ValueOf<typeof inodeKind>;

/**
 * Where the bytes of a file are. `mgr`: in the mgr's store, and no iod has an object of it. `moving`:
 * there too, but an iod may have what is left of an attempt to move them. They move to the iods once.
 */
export const bytesPlaces = ['iods', 'mgr', 'moving'] as const;
export const bytesPlace = choice(bytesPlaces);
export type BytesPlace = ValueOf<typeof bytesPlace>;

export const attr = struct({
  handle,
  kind: inodeKind,
  /** Permission bits with suid, sgid and sticky: 0 to 0o7777. */
  mode: u16,
  links: u32,
  uid: u32,
  gid: u32,
  /** Device number of character and block nodes. */
  device: u32,
  size: offset,
  accessed: timestamp,
  modified: timestamp,
  changed: timestamp,
  born: timestamp,
  layout: optional(layout),
  /** Of a file. */
  place: bytesPlace,
  /** False when an iod that may hold more of the size could not be asked (SCENARIOS 16). */
  sizeExact: bool,
  /** Bytes of it that take no place at the iods; without it they are to be asked. */
  holes: optional(offset),
  /**
   * The session may take them for true, and of a directory the names in it, until the mgr recalls
   * the right, and as long as it hears from the mgr (`limits.rightMs`).
   */
  right: bool,
});
export type Attr = ValueOf<typeof attr>;

/** A place in the name space: a path of any length from a directory; absolute paths from the root. */
export const place = struct({ directory: handle, path: pathName });
export type Place = ValueOf<typeof place>;

export const dirent = struct({
  name: fileName,
  handle,
  kind: inodeKind,
  /** Position after this entry: stable while others come and go. */
  cookie: u53(),
  attr: optional(attr),
});
export type Dirent = ValueOf<typeof dirent>;

/** Bits of `rights`. */
export const rights = { read: 1, write: 2 } as const;

/** The right of one session to one file, signed by the mgr; an iod verifies it by itself. */
export const capBody = struct({
  session,
  handle,
  rights: u8,
  generation: u53(),
  /** Place in the stream of opens. An iod whose table is current up to here must know it. */
  sequence: u53(),
});
export const cap = struct({ body: capBody, signature: id32 });
export type CapBody = ValueOf<typeof capBody>;
export type Cap = ValueOf<typeof cap>;

/** Of a directory, and of a file that the mgr does not know yet: no iod takes it. */
export const noCap: Cap = {
  body: {
    session: 0 as Cap['body']['session'],
    handle: 0 as Cap['body']['handle'],
    rights: 0,
    generation: 0,
    sequence: 0,
  },
  signature: new Uint8Array(32),
};

/** One line of the open table: rights 0 means that the session has closed the file. */
export const openEntry = struct({ handle, session, rights: u8, sequence: u53() });
export type OpenEntry = ValueOf<typeof openEntry>;

/** A place in the open table: between two lines of it. */
export const openPlace = struct({ handle, session });
export type OpenPlace = ValueOf<typeof openPlace>;

/** All opens of the handles behind the range before, up to one, as a digest (open-digest.ts). */
export const openRange = struct({ upTo: handle, low: u32, high: u32 });
export type OpenRange = ValueOf<typeof openRange>;

export const memberStates = ['absent', 'syncing', 'serving', 'draining', 'evicted'] as const;
export const memberState = choice(memberStates);
export type MemberState = ValueOf<typeof memberState>;

/** An iod as the mgr sees it, and how to reach it. */
export const member = struct({
  index: iodIndex,
  name: text(255),
  host: text(255),
  /** 0 until it has listened for the first time. */
  port: u16,
  /** Socket for peers on the same host; '' for none. */
  unixPath: text(108),
  hostId: text(128),
  state: memberState,
  incarnation: u53(),
  freeBytes: u53(),
  totalBytes: u53(),
  quarantined: u32,
  /** Milliseconds since the mgr last heard of it. */
  silentMs: u53(),
});
export type Member = ValueOf<typeof member>;

/** A recovery that runs, for who asks how long it will take (SCENARIOS 277). */
export const recoveryState = struct({
  cause: text(32),
  phase: text(32),
  elapsedMs: u53(),
  /** Of `total` steps of the phase; 0 of 0 when it has none that can be counted. */
  done: u53(),
  total: u53(),
  /** Who is waited for: the first of them, and how many there are. */
  missing: list(text(limits.recoveryTextMax * 3), limits.recoveryNamesMax),
  missingTotal: u32,
  /** Until it ends, or ends for those who are missing. */
  leftMs: optional(u53()),
});
export type RecoveryState = ValueOf<typeof recoveryState>;

/**
 * `request`: of a peer, and not answered yet. `call`: made of a peer, and not answered yet. `iod`: for
 * an iod to come back, or to be sure that it serves nobody. `rights`: for rights of a mgr before this
 * one, or of a client that did not give them back, to be over. `kernel`: of the kernel to a mount, and
 * not answered yet.
 */
export const waitKinds = ['request', 'call', 'iod', 'rights', 'kernel'] as const;

/** What a request waits for where it is worked on; `work` is the process's own, such as its disk. */
export const waitStages = ['work', 'turn', 'iods', 'rights'] as const;

/** Something that waits in a process (`weft why`). */
export const wait = struct({
  kind: choice(waitKinds),
  /** Of a message that is on its way: as in traces, the same at both ends; else 0. */
  connection: u32,
  tag: u32,
  op: u16,
  /** Of a request. */
  stage: choice(waitStages),
  /** Who has asked, or who is waited for; and the session that it is about. */
  peer: text(limits.waitTextMax * 4),
  session: optional(session),
  /** The files that it is about, or waits at: the first of them. */
  handles: list(handle, limits.waitHandlesMax),
  forMs: u53(),
  /** Until it is given up, or ends by itself. */
  leftMs: optional(u53()),
  /** Since the peer was last heard. */
  silentMs: optional(u53()),
  /** Why it is not on its way; or what the kernel asks for. In words. */
  why: text(limits.waitTextMax * 4),
  /** Of a mount: the number of the kernel's request that it is, or is made for. */
  kernel: optional(u53()),
});
export type Wait = ValueOf<typeof wait>;

/** The oldest first. `total`: how many there are. */
export const waitPage = struct({ waits: list(wait, limits.waitsPerPage), total: u53() });
export type WaitPage = ValueOf<typeof waitPage>;

/** What is asked for: what is about this file, or all. */
export const waitQuestion = struct({ handle: optional(handle) });

/** Requests answered, and their payload. They begin anew with the connection, or the open object. */
const load = { answered: u53(), readBytes: u53(), writtenBytes: u53() };

export const loadPage = struct({
  clients: list(struct({ session, ...load }), limits.connectionsMax),
  /** Of an iod: those of which it has the objects open. */
  files: list(struct({ handle, ...load }), limits.objectDescriptorsMax),
});
export type LoadPage = ValueOf<typeof loadPage>;

/** Reports as JSON (recovery-report.ts), the latest first. */
export const recoveryPage = struct({
  reports: list(text(limits.recoveryReportBytesMax), limits.recoveriesPerPage),
  done: bool,
});
export type RecoveryPage = ValueOf<typeof recoveryPage>;

export const members = list(member, limits.iodsMax);
