/**
 * The synchronous half of `node:fs`, for programs that cannot wait otherwise: each call blocks its
 * thread until another thread has made it. `import { connectSync } from 'weftfs/sync'`.
 */
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads';
import { FsError } from '../../shared/errno.ts';
import type { ConnectOptions } from '../connect.ts';
import { fromSent, type ReplyMessage, toSent } from './messages.ts';
import { type NodeFsSync, syncMethods } from './methods.ts';
import type { WorkerData } from './worker.ts';

/** What can be told to another thread. */
export type ConnectSyncOptions = Omit<ConnectOptions, 'runtime'>;

export type ConnectedFileSystemSync = NodeFsSync & {
  /** Without a number: gives everything back and ends all connections. */
  closeSync(fd?: number): void;
  [Symbol.dispose](): void;
};

/**
 * Connects to a cluster and begins a session with it. The thread must not be one that the cluster
 * itself needs, and in a program that serves anybody use `connect` instead.
 * @param url as `weft up` prints it; the environment's WEFT_URL by default
 * @throws FsError as `connect`
 */
export function connectSync(
  url?: string,
  options: ConnectSyncOptions = {},
): ConnectedFileSystemSync {
  const line = new Line(url, options);
  const methods = syncMethods((method, ...args) => line.call(method, args));
  const { closeSync } = methods;
  const fs = {
    ...methods,
    closeSync(fd?: number): void {
      if (fd === undefined) line.end();
      else closeSync(fd);
    },
    [Symbol.dispose]: () => line.end(),
  };
  return fs;
}

/** Sources are run through tsx, what was built by Node alone. */
const isSource = import.meta.url.endsWith('.ts');
const program = new URL(isSource ? 'worker.ts' : 'worker.js', import.meta.url).href;
const modules = isSource ? ['tsx/esm/api', program] : [program];

/** However the thread ends, also when its program cannot be loaded, nobody waits for it in vain. */
const start = `
  const { workerData: { cells, modules } } = require('node:worker_threads');
  process.on('exit', () => {
    Atomics.add(cells, 0, 1);
    Atomics.notify(cells, 0);
  });
  (async () => {
    for (const module of modules) (await import(module)).register?.();
  })();
`;

/** The way to the thread that works. */
class Line {
  readonly #port: MessagePort;
  readonly #worker: Worker;
  /** One cell: how many replies there are. */
  readonly #cells = new Int32Array(new SharedArrayBuffer(4));
  #ended = false;

  constructor(url: string | undefined, options: ConnectSyncOptions) {
    const { port1, port2 } = new MessageChannel();
    const workerData: WorkerData = { url, options, port: port2, cells: this.#cells, modules };
    this.#port = port1;
    this.#worker = new Worker(start, { eval: true, workerData, transferList: [port2] });
    // Neither keeps a program alive that has nothing else to do.
    this.#worker.unref();
    this.#port.unref();
    try {
      this.#reply(0);
    } catch (error) {
      void this.#worker.terminate();
      throw error;
    }
  }

  /** @throws what the call throws; FsError EBADF after the end */
  call(method: string, args: readonly unknown[]): unknown {
    if (this.#ended) throw new FsError('EBADF', { what: 'the file system was closed' });
    const before = Atomics.load(this.#cells, 0);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- no window, a port
    this.#port.postMessage({ method, args: args.map(toSent) });
    return this.#reply(before);
  }

  end(): void {
    if (this.#ended) return;
    try {
      this.call('end', []);
    } finally {
      this.#ended = true;
      this.#port.close();
      void this.#worker.terminate();
    }
  }

  #reply(before: number): unknown {
    Atomics.wait(this.#cells, 0, before);
    const message = receiveMessageOnPort(this.#port)?.message as ReplyMessage | undefined;
    if (message === undefined) {
      throw new FsError('EPIPE', { what: 'the thread that is connected to the cluster has ended' });
    }
    if ('failure' in message) throw fromSent(message.failure);
    return fromSent(message.result);
  }
}
