import * as fs from 'node:fs';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { limits } from '../../../shared/limits.ts';
import { makeDisk } from '../../../shared/runtime/node/disk.ts';
import { makeSharedFiles } from '../../../shared/runtime/node/shared-files.ts';
import type {
  SharedFile,
  SharedFiles,
  SharedMark,
  SharedRead,
} from '../../../shared/runtime/runtime.ts';
import { loaderWords, moduleUrl } from '../../../scripts/project.ts';

const disk = makeDisk();

interface Scene {
  readonly files: SharedFiles;
  readonly directory: string;
  readonly file: SharedFile;
  readonly mark: SharedMark;
}

async function identityOf(path: string): Promise<string> {
  return (await disk.stat(path))?.identity ?? '';
}

function sayMark(directory: string, value: number): void {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  fs.writeFileSync(join(directory, 'mark'), bytes);
}

async function open(files: SharedFiles, path: string): Promise<SharedFile> {
  const file = await files.open(path, await identityOf(path));
  if (file === undefined) throw new Error(`${path} was not opened`);
  return file;
}

async function scene(t: ExecutionContext, content: Buffer): Promise<Scene> {
  const files = makeSharedFiles();
  const directory = fs.mkdtempSync(join(tmpdir(), 'weft-shared-'));
  t.teardown(() => fs.rmSync(directory, { recursive: true }));
  fs.writeFileSync(join(directory, 'object'), content);
  sayMark(directory, 4711);
  const file = await open(files, join(directory, 'object'));
  const mark = { file: await open(files, join(directory, 'mark')), value: 4711 };
  t.teardown(() => file.close());
  return { files, directory, file, mark };
}

/** After one that was slow the next go elsewhere, a few times. */
function begin(
  { file, mark }: Pick<Scene, 'file' | 'mark'>,
  length: number,
  position: number,
): SharedRead {
  for (let tries = 0; tries < 10_000; tries++) {
    const read = file.read(length, position, mark);
    if (read !== undefined) return read;
  }
  throw new Error('the read was not begun');
}

/** @returns what was read, given back */
async function bytesOf({ done }: SharedRead): Promise<Buffer | undefined> {
  const read = await done;
  const bytes = read && Buffer.from(read.bytes);
  read?.release();
  return bytes;
}

test('what is read is short at the end of the file only', async (t) => {
  const it = await scene(t, Buffer.from('0123456789abcdef'));
  t.is((await bytesOf(begin(it, 8, 1)))?.toString(), '12345678');
  t.is((await bytesOf(begin(it, 8, 12)))?.toString(), 'cdef');
  t.is((await bytesOf(begin(it, 3, 100)))?.length, 0);
});

test('many reads at once each get their own bytes, for as long as they are not given back', async (t) => {
  const content = Buffer.from(Uint8Array.from({ length: 256 * 512 }, (_, i) => i >> 9));
  const { file, mark } = await scene(t, content);
  const begun = Array.from({ length: limits.sharedReadsMax }, async (_, i) => {
    // After one that was slow the next go elsewhere.
    const read = await file.read(512, i * 512, mark)?.done;
    return read && { i, read };
  });
  const all = (await Promise.all(begun)).filter((one) => one !== undefined);
  t.true(all.every(({ i, read }) => read.bytes.every((byte) => byte === i)));
  if (all.length === limits.sharedReadsMax) t.is(file.read(1, 0, mark), undefined, 'no room');
  for (const { read } of all) read.release();
  t.deepEqual(await bytesOf(begin({ file, mark }, 2, 1023)), Buffer.from([1, 2]));
});

test('nothing counts that was read when the mark said something else', async (t) => {
  const it = await scene(t, Buffer.alloc(100, 1));
  const { directory, mark } = it;
  const next = { file: it.file, mark: { ...mark, value: 4712 } };
  sayMark(directory, 4712);
  t.is(await bytesOf(begin(it, 100, 0)), undefined);
  t.deepEqual(await bytesOf(begin(next, 100, 0)), Buffer.alloc(100, 1));
  fs.truncateSync(join(directory, 'mark'), 0);
  t.is(await bytesOf(begin(next, 100, 0)), undefined);
});

test('for a read that was given up nobody waits, and the next one comes when its thread is free', async (t) => {
  const it = await scene(t, Buffer.alloc(100, 1));
  const { file, mark } = it;
  const read = begin(it, 100, 0);
  read.giveUp();
  t.is(await read.done, undefined);
  t.is(file.read(100, 0, mark), undefined, 'before the thread is known to be free');
  for (;;) {
    const next = file.read(1, 0, mark);
    if (next !== undefined && (await bytesOf(next)) !== undefined) break;
    await new Promise(setImmediate);
  }
});

test('a file is opened only when it is there and is the one that was meant', async (t) => {
  const { files, directory } = await scene(t, Buffer.alloc(1));
  const path = join(directory, 'object');
  const other = await identityOf(join(directory, 'mark'));
  t.is(await files.open(path, other), undefined);
  t.is(await files.open(join(directory, 'nothing'), other), undefined);
  t.is(await files.open(directory, await identityOf(directory)), undefined);
  fs.symlinkSync(path, join(directory, 'link'));
  t.is(await files.open(join(directory, 'link'), await identityOf(path)), undefined);
});

test('a file that was closed is read no more, after the reads that ran', async (t) => {
  const it = await scene(t, Buffer.alloc(10, 1));
  const { file, mark } = it;
  const read = begin(it, 10, 0);
  file.close();
  file.close();
  t.is((await bytesOf(read))?.length, 10);
  t.is(file.read(10, 0, mark), undefined);
});

/** One that looks for something all the time never sleeps. */
function threadsSleep(): boolean {
  const others = fs.readdirSync('/proc/self/task').filter((id) => Number(id) !== process.pid);
  return others.every((id) => {
    const stat = fs.readFileSync(`/proc/self/task/${id}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) === 'S';
  });
}

test('the thread sleeps when there is nothing to read, however fast the reads came before', async (t) => {
  const it = await scene(t, Buffer.alloc(100, 1));
  const readAll = async () => (await bytesOf(begin(it, 100, 0)))?.length;
  for (let i = 0; i < 5_000; i++) t.is(await readAll(), 100);
  while (!threadsSleep()) await new Promise(setImmediate);
  t.is(await readAll(), 100, 'and is woken');
});

test('the thread keeps no program alive that has nothing else to do', async (t) => {
  const { directory } = await scene(t, Buffer.alloc(1));
  const path = join(directory, 'object');
  const module = moduleUrl('shared/runtime/node/shared-files.ts');
  const program = `
    import { makeSharedFiles } from '${module}';
    const file = await makeSharedFiles().open('${path}', '${await identityOf(path)}');
    console.log(file !== undefined);
  `;
  const words = [...loaderWords, '--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  t.is(stdout, 'true\n');
});
