/**
 * The thread that works while another waits: it is connected to the cluster, and makes one call
 * after another. A program of its own, started by connect-sync.ts; nothing imports it.
 */
import type * as Fs from 'node:fs';
import { promisify } from 'node:util';
import { workerData } from 'node:worker_threads';
import { FsError } from '../../shared/errno.ts';
import type { ConnectOptions } from '../connect.ts';
import { connect } from '../node-fs/connect.ts';
import type { ConnectedFileSystem } from '../node-fs/node-fs.ts';
import type { LineData } from './line.ts';
import { type CallMessage, fromSent, type ReplyMessage, toSent } from './messages.ts';

interface WorkerData extends LineData {
  readonly url: string | undefined;
  readonly options: ConnectOptions;
}

type Method = (...args: readonly unknown[]) => unknown;

const { url, options, port, cells } = workerData as WorkerData;
const directories = new Map<number, Fs.Dir>();
let opened = 0;

/** Calls that give or take something that stays in this thread; the others are those of `fs`. */
const own: Readonly<Record<string, (fs: ConnectedFileSystem, ...args: never[]) => unknown>> = {
  async opendir(fs, path: string, wishes?: Fs.OpenDirOptions) {
    directories.set(++opened, await fs.promises.opendir(path, wishes));
    return opened;
  },

  async readDirectory(_, directory: number, count: number) {
    const entries: Fs.Dirent[] = [];
    while (entries.length < count) {
      const entry = await directories.get(directory)?.read();
      if (entry === null || entry === undefined) break;
      entries.push(entry);
    }
    return entries;
  },

  async closeDirectory(_, directory: number) {
    const open = directories.get(directory);
    directories.delete(directory);
    await open?.close();
  },

  /** @param room how many bytes the buffer has; they are filled from `offset` on */
  async read(fs, fd: number, room: number, offset: number, ...rest: readonly unknown[]) {
    const buffer = Buffer.allocUnsafeSlow(room);
    const read = promisify(fs.read as Method) as (
      ...args: unknown[]
    ) => Promise<{ bytesRead: number }>;
    const { bytesRead } = await read(fd, buffer, offset, ...rest);
    return buffer.subarray(offset, offset + bytesRead);
  },

  async readv(fs, fd: number, rooms: readonly number[], position: number | null) {
    const buffers = rooms.map((room) => Buffer.allocUnsafeSlow(room));
    const { bytesRead } = await promisify(fs.readv)(fd, buffers, position ?? undefined);
    return Buffer.concat(buffers).subarray(0, bytesRead);
  },

  realpathNative: (fs, ...args: readonly unknown[]) =>
    (promisify(fs.realpath.native as Method) as Method)(...args),

  end: (fs) => fs.close(),
};

async function run(fs: ConnectedFileSystem, { method, args }: CallMessage): Promise<unknown> {
  const given = args.map(fromSent) as never[];
  if (Object.hasOwn(own, method)) return own[method]?.(fs, ...given);
  const call = (fs as unknown as Record<string, Method | undefined>)[method];
  if (call === undefined) throw new FsError('ENOSYS', { syscall: method });
  return (promisify(call) as Method)(...given);
}

async function replyTo(work: () => Promise<unknown>): Promise<void> {
  let reply: ReplyMessage;
  try {
    reply = { result: toSent(await work()) };
  } catch (error) {
    reply = { failure: toSent(error) };
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- no window, a port
  port.postMessage(reply);
  Atomics.add(cells, 0, 1);
  Atomics.notify(cells, 0);
}

let connected: ConnectedFileSystem | undefined;
port.on('message', (message: CallMessage) => {
  const fs = connected;
  void replyTo(async () => {
    if (fs === undefined) throw new FsError('EBADF', { what: 'the cluster is not connected' });
    return run(fs, message);
  });
});
await replyTo(async () => {
  connected = await connect(url, options);
});
