/** What this machine does without us: loopback TCP between two processes, and its file system. */
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const mebibyte = 1024 * 1024;
const blockBytes = 4096;

/** Bare sockets to another process. */
export interface Loopback {
  /** Bytes one way, MB/s: the median of three. */
  stream(bytes: number): Promise<number>;
  /** Questions of 64 bytes answered with 4 KiB, a second, so many on their way at once. */
  exchange(depth: number, ms: number): Promise<number>;
  end(): void;
}

export async function startLoopback(): Promise<Loopback> {
  const child = fork(fileURLToPath(new URL('loopback-process.ts', import.meta.url)));
  const [port] = (await once(child, 'message')) as [number];
  const open = async (use: string): Promise<Socket> => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    socket.write(use);
    return socket;
  };
  return {
    async stream(bytes) {
      const rates: number[] = [];
      for (let round = 0; round < 3; round++) rates.push(await streamOnce(await open('w'), bytes));
      return rates.toSorted((a, b) => a - b)[1] ?? NaN;
    },
    exchange: async (depth, ms) => exchange(await open('p'), depth, ms),
    end: () => child.kill('SIGKILL'),
  };
}

/** Four pieces of 1 MiB on their way at once. @returns MB/s */
async function streamOnce(socket: Socket, bytes: number): Promise<number> {
  const piece = Buffer.alloc(mebibyte, 1);
  const pieces = Math.ceil(bytes / mebibyte);
  const begun = performance.now();
  let sent = 0;
  let acknowledged = 0;
  await new Promise<void>((resolve, reject) => {
    const send = (): void => {
      for (; sent < pieces && sent < acknowledged + 4; sent++) socket.write(piece);
    };
    socket.on('data', (replies: Buffer) => {
      acknowledged += replies.length;
      if (acknowledged >= pieces) resolve();
      else send();
    });
    socket.once('error', reject);
    send();
  });
  socket.destroy();
  return (pieces * mebibyte) / 1000 / (performance.now() - begun);
}

async function exchange(socket: Socket, depth: number, ms: number): Promise<number> {
  const question = Buffer.alloc(64);
  const begun = performance.now();
  let answers = 0;
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    socket.on('data', (piece: Buffer) => {
      for (bytes += piece.length; bytes >= blockBytes; bytes -= blockBytes) {
        answers++;
        socket.write(question);
      }
      if (performance.now() - begun >= ms) resolve();
    });
    socket.once('error', reject);
    for (let i = 0; i < depth; i++) socket.write(question);
  });
  socket.destroy();
  return (answers * 1000) / (performance.now() - begun);
}

/** Of a file in the page cache, in calls of 1 MiB, MB/s; and in random calls of 4 KiB, a second. */
export function pageCache(directory: string, fileBytes: number) {
  const path = join(directory, 'page-cache');
  const piece = Buffer.alloc(mebibyte, 2);
  const block = Buffer.alloc(blockBytes);
  const file = fs.openSync(path, 'w+');
  const inOrder = (move: (at: number) => void): number => {
    const perSecond = rate(fileBytes / mebibyte, (i) => move(i * mebibyte));
    return (perSecond * mebibyte) / 1e6;
  };
  const anywhere = (move: (at: number) => void): number =>
    rate(20_000, () => move(Math.floor((Math.random() * fileBytes) / blockBytes) * blockBytes));
  try {
    return {
      write: inOrder((at) => fs.writeSync(file, piece, 0, mebibyte, at)),
      read: inOrder((at) => fs.readSync(file, piece, 0, mebibyte, at)),
      randomWrite: anywhere((at) => fs.writeSync(file, block, 0, blockBytes, at)),
      randomRead: anywhere((at) => fs.readSync(file, block, 0, blockBytes, at)),
    };
  } finally {
    fs.closeSync(file);
    fs.unlinkSync(path);
  }
}

/**
 * Memory for so many bytes of new files has been used a moment ago. A virtual machine may have given what it
 * has not used of late back to its host, and a program that is the first to use it again waits for that,
 * whatever it does.
 */
export function warmMemory(directory: string, bytes: number): void {
  const path = join(directory, 'warm-memory');
  const piece = Buffer.alloc(mebibyte, 3);
  const file = fs.openSync(path, 'w');
  try {
    for (let at = 0; at < bytes; at += mebibyte) fs.writeSync(file, piece);
  } finally {
    fs.closeSync(file);
    fs.unlinkSync(path);
  }
}

/** Calls a second of one thread on names of the local file system. */
export function localNames(directory: string, count: number) {
  const folder = join(directory, 'local-names');
  const few = Math.ceil(count / 10);
  const path = (i: number): string => join(folder, `file-${i}`);
  const create = (i: number, sync: boolean): void => {
    const file = fs.openSync(path(i), 'wx');
    if (sync) fs.fsyncSync(file);
    fs.closeSync(file);
  };
  fs.mkdirSync(folder);
  try {
    const durable = rate(few, (i) => create(count + i, true));
    for (let i = 0; i < few; i++) fs.unlinkSync(path(count + i));
    return {
      durable,
      create: rate(count, (i) => create(i, false)),
      open: rate(count, (i) => fs.closeSync(fs.openSync(path(i), 'r'))),
      stat: rate(count, (i) => fs.statSync(path(i))),
      unlink: rate(count, (i) => fs.unlinkSync(path(i))),
    };
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** Directories of `entries` files listed a second, with attributes, by one thread. */
export function localListing(directory: string, entries: number): number {
  const folder = join(directory, 'local-listing');
  fs.mkdirSync(folder);
  for (let i = 0; i < entries; i++) fs.writeFileSync(join(folder, `file-${i}`), '');
  try {
    return rate(200, () => {
      for (const name of fs.readdirSync(folder)) fs.statSync(join(folder, name));
    });
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** A Node process that does nothing: how long it takes from start to end, and its memory. */
export async function bareProcess(): Promise<{ ms: number; residentMebibytes: number }> {
  const begun = performance.now();
  const { stdout } = await promisify(execFile)(process.execPath, [
    '-p',
    'process.memoryUsage.rss()',
  ]);
  return { ms: performance.now() - begun, residentMebibytes: Number(stdout) / mebibyte };
}

/** @returns runs a second */
function rate(count: number, run: (i: number) => void): number {
  const begun = performance.now();
  for (let i = 0; i < count; i++) run(i);
  return (count * 1000) / (performance.now() - begun);
}
