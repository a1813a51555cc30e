/** The bytes of one file, in order or at random places. */
import { once } from 'node:events';
import type { ConnectedFileSystem, File, FileSystem } from '../client/index.ts';
import type { StreamingDirection, Task } from './tasks.ts';

type StreamTask = Extract<Task, { readonly kind: 'stream' }>;
type RandomTask = Extract<Task, { readonly kind: 'random' }>;

const openModes = { write: 'w', overwrite: 'r+', read: 'r' } as const;
const atOnce = 4;
const blockBytes = 4096;
/** Warm from one task to the next, as the buffers of a program that runs for a while are. */
const buffers = new Map<string, Buffer>();

/** @returns bytes moved */
export async function moveStream(fs: ConnectedFileSystem, task: StreamTask): Promise<number> {
  if (task.way === 'stream') await pipe(fs, task);
  else await callInOrder(fs, task);
  return task.bytes;
}

async function callInOrder(fs: FileSystem, task: StreamTask): Promise<void> {
  const { path, direction, bytes, callBytes, way } = task;
  const file = await fs.open(path, openModes[direction]);
  let next = 0;
  const work = async (worker: number): Promise<void> => {
    const buffer = bufferOf(callBytes, worker);
    while (next < bytes) {
      const at = next;
      next += callBytes;
      await moveBlock(file, direction, buffer, at);
    }
  };
  await inParallel(way === 'calls' ? 1 : atOnce, work);
  await file.close();
}

async function pipe(fs: ConnectedFileSystem, task: StreamTask): Promise<void> {
  const { path, direction, bytes, callBytes } = task;
  if (direction === 'read') {
    let got = 0;
    for await (const piece of fs.createReadStream(path)) got += (piece as Buffer).length;
    if (got !== bytes) throw new Error(`${got} bytes came instead of ${bytes}`);
    return;
  }
  const stream = fs.createWriteStream(path, { flags: openModes[direction] });
  const buffer = bufferOf(callBytes, 0);
  for (let at = 0; at < bytes; at += callBytes) {
    if (!stream.write(buffer)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'finish');
}

/** @returns calls made */
export async function moveRandomly(fs: FileSystem, task: RandomTask): Promise<number> {
  const { path, direction, fileBytes, depth, ms } = task;
  const file = await fs.open(path, 'r+');
  const end = performance.now() + ms;
  let calls = 0;
  await inParallel(depth, async (worker) => {
    const buffer = bufferOf(blockBytes, worker);
    while (performance.now() < end) {
      const at = Math.floor((Math.random() * fileBytes) / blockBytes) * blockBytes;
      await moveBlock(file, direction, buffer, at);
      calls++;
    }
  });
  await file.close();
  return calls;
}

async function moveBlock(
  file: File,
  direction: StreamingDirection,
  buffer: Buffer,
  at: number,
): Promise<void> {
  if (direction !== 'read') await file.write(buffer, at);
  else if ((await file.read(buffer, at)) !== buffer.length) throw new Error('the file is short');
}

export async function inParallel(
  workers: number,
  work: (worker: number) => Promise<void>,
): Promise<void> {
  await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
}

function bufferOf(bytes: number, worker: number): Buffer {
  const name = `${bytes} ${worker}`;
  const buffer = buffers.get(name) ?? Buffer.alloc(bytes, 0x5a);
  buffers.set(name, buffer);
  return buffer;
}
