/**
 * One life of a mount with the kernel: agrees on the protocol, gives each request to its handler,
 * and answers each exactly once, because a request without an answer hangs its caller for ever.
 */
import { type Errno, errnos, FsError, ProtocolError, toFsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { BufferPool } from '../../shared/buffer-pool.ts';
import { NumberMap } from '../../shared/number-map.ts';
import type { AnswerMeter } from '../../shared/rpc/service.ts';
import type { Waiting } from '../../shared/rpc/waits.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import type { Handle } from '../../shared/units.ts';
import { Continuations } from './continuations.ts';
import { InFlight, type RequestControl } from './in-flight.ts';
import { decodeHeader, decodeRequest, encodeReply, withHeader } from './message.ts';
import {
  type EntryReply,
  type FileAttr,
  forgetOne,
  initFlags,
  initFlags2,
  isForReader,
  type Operation,
  operationOf,
  operations,
  type Operations,
  type RequestHeader,
  sessionOperations,
} from './protocol.ts';
import type { Answer, Handlers, Volume } from './volume.ts';

/** What the session needs of a device. */
export interface Replier {
  reply(segments: readonly Uint8Array[]): void;
  pause(): void;
  resume(): void;
}

export interface FuseSessionOptions {
  readonly runtime: Runtime;
  readonly volume: Volume;
  readonly handlers: Handlers;
  readonly device: () => Replier;
  /** Whether a thread is about to be killed. */
  readonly isDying: (thread: number) => boolean;
  /** For people. */
  readonly callerName: (thread: number) => string;
  /** Hears of each answer. */
  readonly meter?: AnswerMeter | undefined;
  /** The kernel may keep pages of files that nobody writes (decision 16). */
  readonly keepsPages?: boolean;
}

type Handler = (volume: Volume, request: unknown, control: RequestControl) => Answer<unknown>;

/** What we speak: older kernels know too little, newer ones lower themselves to it. */
const version = { major: 7, minor: 44, minorMin: 31, minorOfEpochs: 44 } as const;
const pageBytes = 4096;
const interruptedLookMs = 500;
/** What is smaller is copied, so that the buffer in which it came is free at once. */
const copiedBytesMax = 64 * 1024;

const wishes = Object.values({ ...initFlags }).reduce((sum, flag) => sum | flag, 0);
const wishes2 = Object.values({ ...initFlags2 }).reduce((sum, flag) => sum | flag, 0);

export class FuseSession {
  readonly #options: FuseSessionOptions;
  readonly #inFlight = new NumberMap<number, InFlight>();
  readonly #buffers = new BufferPool(limits.fuseBuffersKeptBytesMax);
  readonly #continuations = new Continuations();
  #paused = false;

  constructor(options: FuseSessionOptions) {
    this.#options = options;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Requests of the kernel that have no answer yet. */
  *waits(): Iterable<Waiting> {
    const { runtime, callerName } = this.#options;
    const now = runtime.clock.now();
    for (const request of this.#inFlight.values()) yield request.wait(now, callerName);
  }

  /**
   * One request of the kernel. Its bytes are free again when this returns, or, when a promise is
   * returned, as soon as that is settled.
   * @throws ProtocolError for what is no request at all
   */
  receive(message: Buffer): Promise<void> | undefined {
    const header = decodeHeader(message);
    const name = operationOf(header.opcode);
    const attr = this.#continuations.next(header, this.#options.runtime.clock.now());
    if (name === 'getAttr' && attr !== undefined && !isOfReader(header, message)) {
      this.#answer(header.unique, 0, encodeReply(operations.getAttr, notKept(attr)));
      return undefined;
    }
    if (name !== undefined) return this.#serve(name, header, message);
    if (!this.#hear(header, message)) this.#fail(header.unique, new FsError('ENOSYS'));
    return undefined;
  }

  // ------------------------------------------------------------- requests of programs

  /** @returns when its bytes are free, if they are not now */
  #serve(
    name: keyof Operations,
    header: RequestHeader,
    message: Buffer,
  ): Promise<void> | undefined {
    const { runtime, volume, handlers } = this.#options;
    const operation: Operation = operations[name];
    const handler = handlers[name] as Handler;
    const isPart = operation.tail.isPart === true;
    const isLarge = message.length >= copiedBytesMax;
    const begunAt = runtime.clock.now();
    const one = new InFlight(name, header, { begunAt, buffers: this.#buffers });
    let failure: FsError | undefined;
    try {
      const own = isPart && !isLarge ? Buffer.from(message) : message;
      const request = decodeRequest(operation, header, own);
      one.tail = request.tail;
      const answer = handler(volume, request, one);
      if (answer instanceof Promise) {
        const answered = this.#wait(one, answer);
        return own === message && isPart ? answered : undefined;
      }
      this.#succeed(one, answer);
    } catch (error) {
      failure = this.#fail(header.unique, error);
    }
    this.#answered(one, failure);
    return one.kept;
  }

  /** @returns when its bytes are free */
  async #wait(one: InFlight, answer: Promise<unknown>): Promise<void> {
    const { unique } = one.header;
    this.#inFlight.set(unique, one);
    this.#pauseOrResume();
    let failure: FsError | undefined;
    try {
      this.#succeed(one, await answer);
    } catch (error) {
      failure = this.#fail(unique, error);
    }
    this.#inFlight.delete(unique);
    this.#pauseOrResume();
    this.#answered(one, failure);
    if (one.kept !== undefined) await one.kept;
  }

  #succeed({ name, header }: InFlight, value: unknown): void {
    const entry = entryIn(name, value);
    if (entry !== undefined && entry.node !== 0)
      this.#continuations.told(header, entry, this.#options.runtime.clock.now());
    this.#answer(header.unique, 0, encodeReply(operations[name] as Operation, value));
  }

  #answered(one: InFlight, failure: FsError | undefined): void {
    one.answered();
    this.#options.meter?.answered(operations[one.name], one.begunAt, failure, 0);
  }

  #pauseOrResume(): void {
    const full = this.#inFlight.size >= limits.fuseInFlightMax;
    if (full === this.#paused) return;
    this.#paused = full;
    if (full) this.#options.device().pause();
    else this.#options.device().resume();
  }

  #fail(unique: number, error: unknown): FsError {
    const failure = toFsError(error);
    // A mistake of ours, or one that no program can make sense of: told here, and EIO there.
    if (!(error instanceof FsError)) this.#log('request failed', failure);
    this.#answer(unique, errnoFor(failure.code), []);
    return failure;
  }

  #answer(unique: number, errno: number, content: readonly Uint8Array[]): void {
    try {
      this.#options.device().reply(withHeader(unique, errno, content));
    } catch (error) {
      const failure = toFsError(error);
      // Nobody waits for it any more; of a request that was read this is so only at an abort.
      if (failure.code === 'ENOENT') return;
      this.#log('reply refused by the kernel', failure);
      if (errno === 0) this.#answer(unique, errnos.EIO, []);
    }
  }

  #log(what: string, { message, stack }: FsError): void {
    this.#options.runtime.log.error(what, { why: message, stack });
  }

  // ------------------------------------------------------------- messages of the kernel itself

  /** @returns false when it is none of those */
  #hear(header: RequestHeader, message: Buffer): boolean {
    const { forget, batchForget, init, interrupt, destroy } = sessionOperations;
    switch (header.opcode) {
      case forget.code: {
        this.#forget(header.node, decodeRequest(forget, header, message).body.lookups);
        return true;
      }
      case batchForget.code: {
        const { body, tail } = decodeRequest(batchForget, header, message);
        for (let i = 0; i < body.count; i++) {
          const { node, lookups } = forgetOne.read(tail, i * forgetOne.bytes);
          this.#forget(node, lookups);
        }
        return true;
      }
      case interrupt.code: {
        this.#interrupted(decodeRequest(interrupt, header, message).body.unique);
        return true;
      }
      case init.code: {
        const { body, tail } = decodeRequest(init, header, message);
        this.#agree(header.unique, body, tail.length >= 4 ? tail.readUInt32LE(0) : 0);
        return true;
      }
      case destroy.code: {
        this.#answer(header.unique, 0, []);
        return true;
      }
      default:
        return false;
    }
  }

  #forget(node: number, lookups: number): void {
    const { nodes, kernel } = this.#options.volume;
    if (nodes.forget(node, lookups)) kernel.forgotten(node as Handle);
  }

  /**
   * The caller has got a signal. Programs expect EINTR of no local file, so the request goes on,
   * unless the signal kills: then nobody waits for more than the answer.
   */
  #interrupted(unique: number): void {
    const request = this.#inFlight.get(unique);
    if (request === undefined) return;
    const { runtime, isDying } = this.#options;
    if (isDying(request.header.pid)) request.abort();
    // The kernel tells only of the first signal: the next one may be the one that kills.
    else runtime.clock.timer(interruptedLookMs, () => this.#interrupted(unique));
  }

  #agree(
    unique: number,
    kernel: { major: number; minor: number; readAhead: number; flags: number },
    flags2: number,
  ): void {
    const { major, minor, readAhead } = kernel;
    if (major > version.major) {
      // The kernel asks again, in our version.
      const ours = { ...noInit, major: version.major, minor: version.minor };
      this.#answer(unique, 0, encodeReply(sessionOperations.init, ours));
      return;
    }
    if (major < version.major || minor < version.minorMin) {
      const what = `the kernel speaks FUSE ${major}.${minor}; needed is ${version.major}.${version.minorMin} (Linux 5.4)`;
      throw new ProtocolError(what);
    }
    const agreed = {
      major: version.major,
      minor: Math.min(minor, version.minor),
      readAhead,
      flags: wishes & kernel.flags,
      flags2: wishes2 & flags2,
      backgroundMax: limits.fuseBackgroundMax,
      congestedAt: Math.floor((limits.fuseBackgroundMax * 3) / 4),
      writeMax: limits.fuseTransferBytes,
      timeGranularityNs: 1,
      pagesMax: limits.fuseTransferBytes / pageBytes,
    };
    const { kernel: cache } = this.#options.volume;
    cache.agreed({ knowsEpochs: agreed.minor >= version.minorOfEpochs });
    const isGated = (agreed.flags & initFlags.autoInvalidate) !== 0;
    cache.pages.agreed({ isGated: isGated && this.#options.keepsPages === true });
    this.#options.runtime.log.info('kernel agreed', { version: `${major}.${minor}` });
    this.#answer(unique, 0, encodeReply(sessionOperations.init, agreed));
  }
}

/** Then what its thread was told before is not new enough. */
function isOfReader(header: RequestHeader, message: Buffer): boolean {
  return isForReader(decodeRequest(operations.getAttr, header, message).body);
}

/** @returns what the kernel will ask about in the same system call */
function entryIn(name: keyof Operations, value: unknown): EntryReply | undefined {
  if (name === 'lookup') return value as EntryReply;
  if (name === 'create') return (value as { readonly entry: EntryReply }).entry;
  return undefined;
}

function notKept(attr: FileAttr) {
  return { attrValid: 0, attrValidNs: 0, attr };
}

const noInit = {
  readAhead: 0,
  flags: 0,
  flags2: 0,
  backgroundMax: 0,
  congestedAt: 0,
  writeMax: 0,
  timeGranularityNs: 0,
  pagesMax: 0,
};

/** Failures that say something about our network, not about the file. */
const unspeakable: ReadonlySet<Errno> = new Set([
  'EPROTO',
  'EPIPE',
  'ECONNRESET',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EKEYREJECTED',
  'ENOTFOUND',
]);

function errnoFor(code: Errno): number {
  if (code === 'ECANCELED') return errnos.EINTR;
  return errnos[unspeakable.has(code) ? 'EIO' : code];
}
