/**
 * Everything that is not pure: time, chance, network, disk, log and kill points.
 * `runtime/node.ts` is the real one; `test/sim` has one of virtual time. Nothing else may touch
 * clocks, randomness, sockets or disks, so that a whole cluster runs from one seed.
 */
import type { Soon } from '../soon.ts';
import type { Recorder } from '../trace/recorder.ts';
import type { Timestamp } from '../units.ts';
import type { KillPoint } from './kill-points.ts';

export interface Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly net: Net;
  readonly disk: Disk;
  readonly sharedFiles: SharedFiles;
  readonly log: Logger;
  /** The flight recorder of this process: always on. */
  readonly recorder: Recorder;
  /**
   * From now on the latest records are in a file of this directory too, as far as the disk lets
   * them. Never throws. @returns writes what is left, and ends it; idempotent
   */
  readonly keepTrace: (directory: string) => () => void;
  /** Marks a protocol step, for the recorder, and for a test that kills this process at it. */
  readonly killPoint: (point: KillPoint) => void;
}

export interface Clock {
  /** Monotonic milliseconds, with fractions. Leases, deadlines and windows use only this. */
  now(): number;
  /** Wall time, for time stamps only. */
  wall(): Timestamp;
  /** Runs `run` once after `delayMs`. It may come late, never early (SCENARIOS 235). */
  timer(delayMs: number, run: () => void): Timer;
  /**
   * Runs `run` once when the events of this tick are done: the batching point of every queue. What
   * it defers itself runs in the same round, behind what waits already.
   */
  defer(run: () => void): void;
}

export interface Timer {
  /** Idempotent; after it `run` is not called. */
  cancel(): void;
}

export interface Random {
  /** Uniform in [0, 1). */
  fraction(): number;
  /** `count` bytes fit for keys and nonces. */
  bytes(count: number): Uint8Array;
}

// ---------------------------------------------------------------- net

export type Endpoint =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** An absolute path, or `@` and a name: see `abstract-name.ts`. */
  | { readonly kind: 'unix'; readonly path: string };

/**
 * One message stream with a peer. What travels is packets: one packet is one WebSocket frame and
 * holds entries, each `u32 bodyBytes, u32 payloadBytes, body, payload` (little-endian). A body is
 * small and is handed over whole; a payload goes straight to the buffers its receiver names.
 */
export interface Channel {
  /** Who is on the other side, for logs and errors, e.g. `127.0.0.1:41234`. */
  readonly peer: string;
  /** Address of the peer's host without port; `'local'` for a unix socket. */
  readonly peerHost: string;
  /** See `placeOf`. */
  readonly place?: string | undefined;
  /** Bytes accepted by `send` that the network has not taken yet. */
  readonly bufferedBytes: number;
  /**
   * Sends segments as ONE packet; together they must be whole entries. Segments are not copied:
   * they must not change until `taken` is called: once, when the network has them or never will.
   * After close it does nothing but call `taken`.
   */
  send(segments: readonly Uint8Array[], taken?: () => void): void;
  /** Closes at once; `closed` is called once, later, with `reason`. Idempotent. */
  close(reason: Error): void;
}

export interface ChannelHandlers {
  /**
   * Names the buffers for the payload of the entry whose body has just arrived; their lengths must
   * add up to `payloadBytes`. `undefined`: let the channel allocate. Throwing closes the channel.
   */
  payloadSink(body: Uint8Array, payloadBytes: number): readonly Uint8Array[] | undefined;
  /** One whole entry. `body` is valid only during the call; `payload` belongs to the receiver. */
  entry(body: Uint8Array, payload: readonly Uint8Array[]): void;
  /** `bufferedBytes` fell below the low-water mark (`limits.channelLowWaterBytes`). */
  drained(): void;
  /** Exactly once, the last call. Also for breaches of framing, with a ProtocolError. */
  closed(reason: Error): void;
}

export interface ListenOptions {
  readonly endpoint: Endpoint;
  /**
   * Called for each connection. Throwing refuses it.
   * @param known it is known who the peer is, or does not matter: see `strangersMax`
   */
  accept(channel: Channel, known: () => void): ChannelHandlers;
  /** Answers plain HTTP on the same port: `/health`, `/metrics`. */
  http?(request: { method: string; path: string }): HttpReply | Promise<HttpReply>;
  /** A connection was refused before it became a channel: noise, or one too many. */
  refused?(): void;
  /** More connections than this wait unaccepted or are refused. */
  readonly connectionsMax: number;
  /**
   * More peers than this that are not known yet wait unread, those that came last for the next turn.
   * Who waits too long is let go; who has his turn has all of his time. As many as connect by default.
   */
  readonly strangersMax?: number;
}

export interface HttpReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** More of them, names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Listener {
  /** With the port the system chose when 0 was asked for. */
  readonly endpoint: Endpoint;
  /** Stops accepting; connections that stand are closed too. */
  close(): Promise<void>;
}

export interface Net {
  /**
   * Connects and does the WebSocket handshake.
   * @throws FsError with errno ECONNREFUSED, ENOTFOUND, ETIMEDOUT, EPROTO (answers, but no weftfs)
   */
  connect(
    endpoint: Endpoint,
    options: { readonly timeoutMs: number },
    handlers: ChannelHandlers,
  ): Promise<Channel>;
  /** @throws FsError EADDRINUSE, EACCES, EADDRNOTAVAIL */
  listen(options: ListenOptions): Promise<Listener>;
  /** Resolves a host name to numeric addresses. @throws FsError ENOTFOUND, EAI_AGAIN as EAGAIN */
  resolve(host: string): Promise<readonly string[]>;
  /** Tells whether two processes are on one host (and so can share a unix socket). */
  readonly hostId: string;
  /**
   * The same for all processes that share loopback, and with it the names of unix sockets; another one
   * elsewhere. '' where unix sockets have no names.
   */
  readonly loopbackId: string;
  /** Another one after each start of the host: what was not on its disks by then is gone. */
  readonly bootId: string;
}

// ---------------------------------------------------------------- disk

/**
 * The disk as an iod needs it. Errors are FsError with the system's errno.
 * Nothing is durable before `sync` (content) or `syncDirectory` (names).
 */
export interface Disk {
  /**
   * `read`: must exist. `write`: must exist, read and write. `create`: read and write, made when
   * missing. `exclusive`: made, must not exist.
   */
  open(path: string, mode: 'read' | 'write' | 'create' | 'exclusive'): Promise<DiskFile>;
  /** Makes the directory and its parents; fine when it is there. */
  makeDirectory(path: string): Promise<void>;
  /** Names in a directory, unordered. */
  list(path: string): Promise<string[]>;
  /** `undefined` when there is no such file. */
  stat(path: string): Promise<DiskStat | undefined>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or an empty directory. */
  remove(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  space(path: string): Promise<DiskSpace>;
  /**
   * Exclusive lock of a directory, released by the system when the process dies.
   * `holder` is kept in the lock file for the error of the next one who tries.
   * @throws FsError EBUSY whose message names the holder
   */
  lock(directory: string, holder: string): Promise<DiskLock>;
}

export interface DiskStat {
  /** Tells a file from all others of its host that are there at the same time. */
  readonly identity: string;
  readonly kind: 'file' | 'directory' | 'other';
  readonly sizeBytes: number;
  /** Bytes really taken on the disk (holes take none). */
  readonly allocatedBytes: number;
  readonly modified: Timestamp;
}

export interface DiskSpace {
  /** Tells the file systems of a host apart. */
  readonly device: number;
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly totalFiles: number;
  readonly freeFiles: number;
}

export interface DiskLock {
  release(): Promise<void>;
}

export interface DiskFile {
  /** Fills `into` from `position`; @returns bytes read, fewer only at the end of the file */
  read(into: readonly Uint8Array[], position: number): Soon<number>;
  /** Writes all of `from` at `position`. @throws FsError ENOSPC, EIO … with `bytesDone` */
  write(from: readonly Uint8Array[], position: number): Soon<void>;
  truncate(lengthBytes: number): Promise<void>;
  stat(): Promise<DiskStat>;
  /** Content and size are durable when it returns. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

// ---------------------------------------------------------------- files of other processes

/**
 * Files that another process of this host keeps and lets us read (decision 17). No call waits for a
 * disk in the caller's thread, and whoever waits for one that hangs can stop.
 */
export interface SharedFiles {
  /** @returns undefined when there is no such file, we may not read it, or it is another one */
  open(path: string, identity: string): Promise<SharedFile | undefined>;
}

export interface SharedFile {
  /**
   * Reads, and looks at the mark when that is done.
   * @param length at most `limits.transferBytes`
   * @returns undefined when somebody else is to be asked: the disk is slow, or too much is under way
   */
  read(length: number, position: number, mark: SharedMark): SharedRead | undefined;
  /** Behind the reads that run. Idempotent. */
  close(): void;
}

/** What was read counts as long as the file begins with this number (f64, little-endian). */
export interface SharedMark {
  readonly file: SharedFile;
  readonly value: number;
}

export interface SharedRead {
  /**
   * Fewer bytes only at the end of the file. `undefined`: it failed, was given up, or the mark is no
   * longer what it was. Never rejects.
   */
  readonly done: Promise<SharedBytes | undefined>;
  /** Nobody waits for it any more. */
  giveUp(): void;
}

/** What was read, in memory that other reads get when it is given back. */
export interface SharedBytes {
  readonly bytes: Uint8Array;
  /** Once. */
  release(): void;
}

// ---------------------------------------------------------------- log

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Message = a fixed lower-case phrase; what varies = fields. error: the operator must act;
 * warn: we recovered; info: lifecycle only; debug: every message, so guard it with `enabled`.
 */
export interface Logger {
  enabled(level: LogLevel): boolean;
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each line. */
  child(fields: LogFields): Logger;
}
