/** The way to a thread that works while this one waits. */
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads';
import { FsError } from '../../shared/errno.ts';
import { fromSent, type ReplyMessage, toSent } from './messages.ts';

/** What the thread finds, besides what it is given. */
export interface LineData {
  readonly port: MessagePort;
  /** Two cells: how many replies there are, and whether the thread has ended. */
  readonly cells: Int32Array;
  /** What the thread loads, in order. */
  readonly modules: readonly string[];
}

/** However the thread ends, also when a module cannot be loaded, nobody waits for it in vain. */
const start = `
  const { workerData: { cells, modules } } = require('node:worker_threads');
  process.on('exit', () => {
    Atomics.store(cells, 1, 1);
    Atomics.add(cells, 0, 1);
    Atomics.notify(cells, 0);
  });
  (async () => {
    for (const module of modules) (await import(module)).register?.();
  })();
`;

export class Line {
  readonly #port: MessagePort;
  readonly #worker: Worker;
  readonly #cells = new Int32Array(new SharedArrayBuffer(8));
  #isEnded = false;

  /**
   * Waits for the first reply, which nobody has asked for.
   * @param modules the last of them is the program; `register` of the others is called
   * @throws what the thread says instead; FsError EPIPE when it says nothing
   */
  constructor(given: object, modules: readonly string[]) {
    const { port1, port2 } = new MessageChannel();
    const data: LineData = { port: port2, cells: this.#cells, modules };
    this.#port = port1;
    const workerData = { ...given, ...data };
    this.#worker = new Worker(start, { eval: true, workerData, transferList: [port2] });
    // What kills the thread is told to whoever calls it next, and does not kill this program.
    this.#worker.on('error', () => undefined);
    // Neither keeps a program alive that has nothing else to do.
    this.#worker.unref();
    this.#port.unref();
    try {
      this.#reply(0);
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  /** @throws what the call throws; FsError EBADF after the end, EPIPE when the thread has died */
  call(method: string, args: readonly unknown[]): unknown {
    if (this.#isEnded) throw new FsError('EBADF', { what: 'the file system was closed' });
    const before = Atomics.load(this.#cells, 0);
    if (Atomics.load(this.#cells, 1) !== 0) throw died();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- no window, a port
    this.#port.postMessage({ method, args: args.map(toSent) });
    return this.#reply(before);
  }

  /** The last call, and the end of the thread. Idempotent. */
  end(): void {
    if (this.#isEnded) return;
    try {
      this.call('end', []);
    } finally {
      this.#close();
    }
  }

  #close(): void {
    this.#isEnded = true;
    this.#port.close();
    void this.#worker.terminate();
  }

  #reply(before: number): unknown {
    Atomics.wait(this.#cells, 0, before);
    const message = receiveMessageOnPort(this.#port)?.message as ReplyMessage | undefined;
    if (message === undefined) throw died();
    if ('failure' in message) throw fromSent(message.failure);
    return fromSent(message.result);
  }
}

function died(): FsError {
  return new FsError('EPIPE', { what: 'the thread that is connected to the cluster has ended' });
}
