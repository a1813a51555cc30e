/** One user of a directory: a process that carries out tasks by the calls of node:fs that block. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { serveTasks } from '../task-server.ts';
import type { FileCall, UserTask } from './user-tasks.ts';

const mebibyte = 1024 * 1024;
/** Its memory begins at a page, which Node promises of no buffer. */
declare const WebAssembly: {
  readonly Memory: new (wish: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
};
const wasmPageBytes = 64 * 1024;
/**
 * Warm from one task to the next, as the buffers of a program that runs for a while are, and whole
 * pages of memory, as those of cp and dd are: one of 257 pages would take two requests of the kernel.
 */
const piece = Buffer.from(new WebAssembly.Memory({ initial: mebibyte / wasmPageBytes }).buffer);
const block = Buffer.alloc(4096, 0x5a);
const modes = { write: 'w', overwrite: 'r+', read: 'r' } as const;

const calls: Readonly<Record<FileCall, (path: string) => void>> = {
  'create, write 4 KiB, close': (path) => {
    withFile(path, 'wx', (file) => fs.writeSync(file, block));
  },
  'open, read 4 KiB, close': (path) => {
    withFile(path, 'r', (file) => fs.readSync(file, block, 0, block.length, 0));
  },
  stat: (path) => fs.statSync(path),
  fstat: () => undefined,
  unlink: (path) => fs.unlinkSync(path),
};

serveTasks(perform);

/** @returns bytes or calls */
function perform(task: UserTask): number {
  if (task.kind === 'stream') return stream(task);
  return task.kind === 'random' ? readRandomly(task) : callFiles(task);
}

/** @returns bytes moved */
function stream({ path, direction, bytes }: Extract<UserTask, { kind: 'stream' }>): number {
  withFile(path, modes[direction], (file) => {
    for (let at = 0; at < bytes; at += mebibyte) {
      if (direction !== 'read') fs.writeSync(file, piece, 0, mebibyte, at);
      else if (fs.readSync(file, piece, 0, mebibyte, at) !== mebibyte) throw new Error('too short');
    }
  });
  return bytes;
}

/** Prime, so that it meets every block of a file whose blocks it is no divisor of. */
const strideBlocks = 7919;

/** @returns calls made */
function readRandomly({ path, bytes, ms }: Extract<UserTask, { kind: 'random' }>): number {
  const blocks = bytes / block.length;
  const end = performance.now() + ms;
  let calls = 0;
  withFile(path, 'r', (file) => {
    for (; performance.now() < end; calls++) {
      const at = ((calls * strideBlocks) % blocks) * block.length;
      if (fs.readSync(file, block, 0, block.length, at) !== block.length)
        throw new Error('too short');
    }
  });
  return calls;
}

/** @returns calls made */
function callFiles({ call, directory, count }: Extract<UserTask, { kind: 'files' }>): number {
  const path = (i: number): string => join(directory, `file-${i}`);
  if (call === 'fstat') {
    withFile(path(0), 'r', (file) => {
      for (let i = 0; i < count; i++) fs.fstatSync(file);
    });
    return count;
  }
  for (let i = 0; i < count; i++) calls[call](path(i));
  return count;
}

function withFile(path: string, mode: string, use: (file: number) => void): void {
  const file = fs.openSync(path, mode);
  try {
    use(file);
  } finally {
    fs.closeSync(file);
  }
}
