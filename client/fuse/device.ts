/**
 * The kernel's end of a mount: the descriptor of /dev/fuse. The only file that knows how Node waits
 * for it without a thread of its own.
 */
import { close, constants, open, read, readFileSync, readSync, write, writevSync } from 'node:fs';
import { createServer, Socket, connect } from 'node:net';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { FsError, toFsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { loopWaits } from '../../shared/runtime/node/loop-waits.ts';
import { mount, type MountWish } from './mounting.ts';
import { TurnSize } from './turn-size.ts';

/**
 * Takes one request. Its bytes are valid during the call; when a promise is returned, until that
 * is settled.
 */
export type Receive = (message: Buffer) => Promise<void> | undefined;

/** How requests are waited for: by the event loop, or by a thread of Node's pool. */
export type Waiting = 'loop' | 'pool';

/** A header and a name or two beside the largest write; the kernel asks for 8 KiB at the least. */
const bufferBytes = limits.fuseTransferBytes + 8192;
/** Kept for the next requests whose bytes are used for longer. */
const spareBuffersMax = 8;

export class FuseDevice {
  /** Resolves when it was unmounted. @throws FsError when the device was lost, or closed with it */
  readonly ended: Promise<void>;
  readonly #fd: number;
  readonly #receive: Receive;
  /** For the next request. */
  #buffer: Buffer = Buffer.allocUnsafeSlow(bufferBytes);
  readonly #spares: Buffer[] = [];
  #settle: ((error: FsError | undefined) => void) | undefined;
  #socket: Socket | undefined;
  #paused = false;
  #ended = false;
  readonly #telling = new Set<Promise<void>>();
  readonly #turn = new TurnSize();
  /** With `pool`: a thread waits for the next request. */
  #waiting = false;

  private constructor(fd: number, receive: Receive) {
    this.#fd = fd;
    this.#receive = receive;
    this.ended = new Promise((resolve, reject) => {
      this.#settle = (error) => (error === undefined ? resolve() : reject(error));
    });
    // Heard by whoever serves the mount, perhaps only later.
    this.ended.catch(() => undefined);
  }

  /**
   * Mounts. From now on every access waits for our answers, so nothing in this process may touch
   * the directory by a call that blocks.
   * @throws FsError EACCES, EPERM, ENOENT (no /dev/fuse, or no program that mounts), EBUSY …
   */
  static async mount(wish: MountWish, receive: Receive, waiting?: Waiting): Promise<FuseDevice> {
    const Pipe = waiting === 'pool' ? undefined : await findPipe();
    const flags = constants.O_RDWR | (Pipe === undefined ? 0 : constants.O_NONBLOCK);
    const fd = await openDevice(flags);
    // Whatever may fail comes before the mount: one that nobody serves would hang its users.
    const pipe = Pipe && openPipe(Pipe, fd);
    try {
      await mount(wish, fd);
    } catch (error) {
      if (pipe === undefined) close(fd);
      else pipe.close();
      throw error;
    }
    const device = new FuseDevice(fd, receive);
    if (pipe === undefined) device.#waitInPool();
    else device.#waitInLoop(pipe);
    return device;
  }

  /** @throws FsError ENOENT: the caller has gone meanwhile; EINVAL: the reply makes no sense */
  reply(segments: readonly Uint8Array[]): void {
    if (this.#ended) return;
    try {
      loopWaits.sent(writevSync(this.#fd, segments));
    } catch (error) {
      const failure = toFsError(error);
      if ((failure.cause as NodeJS.ErrnoException).code !== 'ENODEV') throw failure;
    }
  }

  /**
   * Tells the kernel something that it has not asked for, by a thread of Node's pool: it may have to
   * wait for an answer of ours.
   * @throws FsError ENOENT: it knows no such node
   */
  async tell(message: Uint8Array): Promise<void> {
    if (this.#ended) return;
    const telling = new Promise<void>((resolve, reject) => {
      write(this.#fd, message, (error) => {
        if (error === null || this.#ended || error.code === 'ENODEV') resolve();
        else reject(toFsError(error));
      });
    });
    this.#telling.add(telling);
    await telling.finally(() => this.#telling.delete(telling));
  }

  /** Takes no more requests until `resume`. */
  pause(): void {
    this.#paused = true;
    this.#socket?.pause();
  }

  resume(): void {
    if (!this.#paused || this.#ended) return;
    this.#paused = false;
    if (this.#socket === undefined) this.#waitInPool();
    else {
      this.#socket.resume();
      this.#drain();
    }
  }

  /** Ends it here: whoever uses the mount gets ENOTCONN. */
  close(error: FsError): void {
    this.#end(error);
  }

  #waitInLoop(handle: PipeHandle): void {
    const socket = new Socket({
      handle,
      onread: {
        buffer: () => this.#buffer,
        callback: (bytes: number) => {
          this.#received(bytes);
          this.#drain();
          return !this.#paused;
        },
      },
    } as ConstructorParameters<typeof Socket>[0]);
    this.#socket = socket;
    socket.on('error', (error) => {
      this.#end(error);
    });
    socket.on('end', () => {
      this.#end(undefined);
    });
    socket.resume();
  }

  /**
   * What has come meanwhile: a call each is cheaper than a turn of the event loop. Answers bring the
   * next requests, so after some of them others have their turn: the loop hears of the rest.
   */
  #drain(): void {
    const most = this.#turn.next();
    let count = 1;
    while (count < most && !this.#paused && !this.#ended) {
      const bytes = this.#readNow();
      if (bytes === undefined) break;
      this.#received(bytes);
      count++;
    }
    this.#turn.were(count);
  }

  /** @returns undefined when there is nothing to read, or never again */
  #readNow(): number | undefined {
    const { stackTraceLimit } = Error;
    // One that finds nothing fails with EAGAIN, and its stack is of no interest.
    Error.stackTraceLimit = 0;
    try {
      return readSync(this.#fd, this.#buffer);
    } catch (error) {
      if (!isTransient(error)) this.#end(error);
      return undefined;
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  #waitInPool(): void {
    if (this.#waiting || this.#paused || this.#ended) return;
    this.#waiting = true;
    read(this.#fd, this.#buffer, 0, bufferBytes, null, (error, bytes) => {
      this.#waiting = false;
      if (error === null) this.#received(bytes);
      else if (!isTransient(error)) this.#end(error);
      this.#waitInPool();
    });
  }

  #received(bytes: number): void {
    const buffer = this.#buffer;
    loopWaits.received();
    loopWaits.took(bytes);
    const inUse = this.#receive(buffer.subarray(0, bytes));
    if (inUse === undefined) return;
    this.#buffer = this.#spares.pop() ?? Buffer.allocUnsafeSlow(bufferBytes);
    void inUse.finally(() => {
      if (this.#spares.length < spareBuffersMax) this.#spares.push(buffer);
    });
  }

  #end(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket?.pause();
    // Whoever still writes there must not meet another file with the same number.
    void Promise.allSettled(this.#telling).then(() => {
      // The socket owns the descriptor.
      if (this.#socket === undefined) close(this.#fd);
      else this.#socket.destroy();
    });
    const { code } = (error ?? {}) as NodeJS.ErrnoException;
    const isUnmount = error === undefined || code === 'ENODEV' || code === 'ECONNABORTED';
    this.#settle?.(isUnmount ? undefined : toFsError(error));
  }
}

/** ENOENT: a request that was taken back before it was read. */
function isTransient(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EAGAIN' || code === 'EINTR' || code === 'ENOENT';
}

/**
 * True when a thread is about to be killed: then, and only then, a call that a local file system
 * would end may be ended. The kernel tells us of every signal, but programs expect EINTR of none.
 */
export function isDying(thread: number): boolean {
  try {
    const status = readFileSync(`/proc/${thread}/status`, 'latin1');
    const pending = /^SigPnd:\t(\S+)/m.exec(status)?.[1] ?? '0';
    return (BigInt(`0x${pending}`) & sigkill) !== 0n;
  } catch {
    return true; // There is no such thread any more, or it is in another container.
  }
}

/** Who waits for an answer. @param thread 0: the kernel itself, or somebody in another container */
export function callerName(thread: number): string {
  if (thread === 0) return 'the kernel';
  try {
    const command = readFileSync(`/proc/${thread}/comm`, 'utf8').trimEnd();
    return `${command} (pid ${thread})`;
  } catch {
    return `pid ${thread}`; // It has ended meanwhile.
  }
}

/** A signal that kills a process is SIGKILL to each of its threads. */
const sigkill = 1n << 8n;

// ---------------------------------------------------------------- inner parts

function openDevice(flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    open('/dev/fuse', flags, (error, fd) => {
      if (error === null) resolve(fd);
      else reject(noDevice(error));
    });
  });
}

function noDevice(error: NodeJS.ErrnoException): FsError {
  const { code } = toFsError(error);
  const advice = code === 'EACCES' ? 'chmod a+rw /dev/fuse' : 'modprobe fuse';
  return new FsError(code, { what: `${error.message}: ${advice}, as root`, cause: error });
}

interface PipeHandle {
  open(fd: number): number;
  close(): void;
}
type PipeConstructor = new (kind: number) => PipeHandle;

/** @returns what owns the descriptor from now on */
function openPipe(Pipe: PipeConstructor, fd: number): PipeHandle {
  const pipe = new Pipe(0);
  const failed = pipe.open(fd);
  if (failed === 0) return pipe;
  close(fd);
  throw new FsError('EIO', { what: `libuv took no /dev/fuse: ${failed}` });
}

/**
 * What libuv polls any descriptor with. Node has no public name for it, but every connected unix
 * socket has one. @returns undefined when this Node has it no more: then a thread waits instead
 */
async function findPipe(): Promise<PipeConstructor | undefined> {
  const server = createServer();
  const path = `\0weft-mount-${randomUUID()}`;
  server.listen(path);
  await once(server, 'listening');
  const accepting = once(server, 'connection') as Promise<[Socket]>;
  const socket = connect(path);
  await once(socket, 'connect');
  const handle: unknown = Reflect.get(socket, '_handle');
  const [accepted] = await accepting;
  for (const part of [socket, accepted]) part.destroy();
  server.close();
  const found = (handle as { constructor?: unknown } | null)?.constructor;
  const hasOpen = typeof (handle as Partial<PipeHandle> | null)?.open === 'function';
  return hasOpen && typeof found === 'function' ? (found as PipeConstructor) : undefined;
}
