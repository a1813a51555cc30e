/**
 * One life of a mount with the kernel: agrees on the protocol, gives each request to its handler,
 * and answers each exactly once, because a request without an answer hangs its caller for ever.
 */
import { type Errno, errnos, FsError, ProtocolError, toFsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import { decodeHeader, decodeRequest, encodeReply, withHeader } from './message.ts';
import {
  forgetOne,
  initFlags,
  initFlags2,
  type Operation,
  operations,
  type Operations,
  type RequestHeader,
  sessionOperations,
} from './protocol.ts';
import type { Handlers, Volume } from './volume.ts';

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
}

interface InFlight {
  readonly thread: number;
  readonly abort: AbortController;
}

type Handler = (
  volume: Volume,
  request: unknown,
  control: { readonly signal: AbortSignal },
) => Promise<unknown>;

/** What we speak: older kernels know too little, newer ones lower themselves to it. */
const version = { major: 7, minor: 40, minorMin: 31 } as const;
const pageBytes = 4096;
const interruptedLookMs = 500;

const wishes = Object.values({ ...initFlags }).reduce((sum, flag) => sum | flag, 0);
const wishes2 = Object.values({ ...initFlags2 }).reduce((sum, flag) => sum | flag, 0);

const namesByCode = new Map(
  Object.entries(operations).map(([name, { code }]) => [code, name as keyof Operations]),
);

export class FuseSession {
  readonly #options: FuseSessionOptions;
  readonly #inFlight = new Map<number, InFlight>();
  #paused = false;

  constructor(options: FuseSessionOptions) {
    this.#options = options;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /**
   * One request of the kernel, which may use its bytes again when this returns.
   * @throws ProtocolError for what is no request at all
   */
  receive(message: Buffer): void {
    const header = decodeHeader(message);
    const name = namesByCode.get(header.opcode);
    if (name !== undefined) this.#serve(name, header, message);
    else if (!this.#hear(header, message)) this.#fail(header.unique, new FsError('ENOSYS'));
  }

  // ------------------------------------------------------------- requests of programs

  #serve(name: keyof Operations, header: RequestHeader, message: Buffer): void {
    const operation: Operation = operations[name];
    const handler = this.#options.handlers[name] as Handler;
    const { unique, pid: thread } = header;
    const abort = new AbortController();
    this.#inFlight.set(unique, { thread, abort });
    this.#pauseOrResume();
    const answer = async (): Promise<void> => {
      try {
        const request = decodeRequest(operation, header, message);
        const value = await handler(this.#options.volume, request, { signal: abort.signal });
        this.#answer(unique, 0, encodeReply(operation, value));
      } catch (error) {
        this.#fail(unique, error);
      } finally {
        this.#inFlight.delete(unique);
        this.#pauseOrResume();
      }
    };
    void answer();
  }

  #pauseOrResume(): void {
    const full = this.#inFlight.size >= limits.fuseInFlightMax;
    if (full === this.#paused) return;
    this.#paused = full;
    if (full) this.#options.device().pause();
    else this.#options.device().resume();
  }

  #fail(unique: number, error: unknown): void {
    const failure = toFsError(error);
    // A mistake of ours, or one that no program can make sense of: told here, and EIO there.
    if (!(error instanceof FsError)) this.#log('request failed', failure);
    this.#answer(unique, errnoFor(failure.code), []);
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
    const { nodes } = this.#options.volume;
    switch (header.opcode) {
      case forget.code: {
        nodes.forget(header.node, decodeRequest(forget, header, message).body.lookups);
        return true;
      }
      case batchForget.code: {
        const { body, tail } = decodeRequest(batchForget, header, message);
        for (let i = 0; i < body.count; i++) {
          const { node, lookups } = forgetOne.read(tail, i * forgetOne.bytes);
          nodes.forget(node, lookups);
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

  /**
   * The caller has got a signal. Programs expect EINTR of no local file, so the request goes on,
   * unless the signal kills: then nobody waits for more than the answer.
   */
  #interrupted(unique: number): void {
    const request = this.#inFlight.get(unique);
    if (request === undefined) return;
    const { runtime, isDying } = this.#options;
    if (isDying(request.thread)) request.abort.abort();
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
    this.#options.runtime.log.info('kernel agreed', { version: `${major}.${minor}` });
    this.#answer(unique, 0, encodeReply(sessionOperations.init, agreed));
  }
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
