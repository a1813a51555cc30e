/** One user of a directory: a process that carries out tasks by the calls of node:fs that block. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from '../tasks.ts';
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

process.on('message', (task: UserTask) => {
  process.send?.(answer(task));
});
process.once('disconnect', () => process.exit(0));
process.send?.({ outcome: undefined });

function answer(task: UserTask): { readonly outcome: Outcome } | { readonly error: string } {
  try {
    const cpuBefore = process.cpuUsage();
    const begun = performance.timeOrigin + performance.now();
    const done = task.kind === 'stream' ? stream(task) : callFiles(task);
    const ended = performance.timeOrigin + performance.now();
    const { user, system } = process.cpuUsage(cpuBefore);
    return { outcome: { done, begun, ended, cpuUs: user + system } };
  } catch (error: unknown) {
    return { error: String(error) };
  }
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
