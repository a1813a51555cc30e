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
  into: readonly Uint8Array[],
  position: number,
): SharedRead {
  for (let tries = 0; tries < 10_000; tries++) {
    const read = file.read(into, position, mark);
    if (read !== undefined) return read;
  }
  throw new Error('the read was not begun');
}

test('what is read goes to the buffers one behind another, and is short at the end only', async (t) => {
  const content = Buffer.from('0123456789abcdef');
  const it = await scene(t, content);
  const [a, b] = [Buffer.alloc(3, '.'), Buffer.alloc(5, '.')];
  t.is(await begin(it, [a, b], 1).done, 8);
  t.is(`${a.toString()} ${b.toString()}`, '123 45678');
  t.is(await begin(it, [a, b], 12).done, 4);
  t.is(`${a.toString()} ${b.toString()}`, 'cde f5678');
  t.is(await begin(it, [a], 100).done, 0);
});

test('many reads at once each get their own bytes', async (t) => {
  const content = Buffer.from(Uint8Array.from({ length: 256 * 512 }, (_, i) => i >> 9));
  const { file, mark } = await scene(t, content);
  const reads = Array.from({ length: limits.sharedReadsMax }, async (_, i) => {
    const into = Buffer.alloc(512);
    const read = file.read([into], i * 512, mark);
    // After one that was slow the next go elsewhere.
    return read === undefined || ((await read.done) === 512 && into.every((byte) => byte === i));
  });
  t.true((await Promise.all(reads)).every(Boolean));
});

test('nothing counts that was read when the mark said something else, and no buffer is touched', async (t) => {
  const it = await scene(t, Buffer.alloc(100, 1));
  const { directory, mark } = it;
  const next = { file: it.file, mark: { ...mark, value: 4712 } };
  const into = Buffer.alloc(100);
  sayMark(directory, 4712);
  t.is(await begin(it, [into], 0).done, undefined);
  t.deepEqual(into, Buffer.alloc(100));
  t.is(await begin(next, [into], 0).done, 100);
  fs.truncateSync(join(directory, 'mark'), 0);
  t.is(await begin(next, [into], 0).done, undefined);
});

test('a read that was given up leaves its buffer alone', async (t) => {
  const it = await scene(t, Buffer.alloc(100, 1));
  const { file, mark } = it;
  const into = Buffer.alloc(100);
  const read = begin(it, [into], 0);
  read.giveUp();
  t.is(await read.done, undefined);
  t.is(file.read([into], 0, mark), undefined, 'before the thread is known to be free');
  for (;;) {
    const next = file.read([Buffer.alloc(1)], 0, mark);
    if ((await next?.done) === 1) break;
    await new Promise(setImmediate);
  }
  t.deepEqual(into, Buffer.alloc(100));
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
  const read = begin(it, [Buffer.alloc(10)], 0);
  file.close();
  file.close();
  t.is(await read.done, 10);
  t.is(file.read([Buffer.alloc(10)], 0, mark), undefined);
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
  const into = Buffer.alloc(100);
  for (let i = 0; i < 5_000; i++) t.is(await begin(it, [into], 0).done, 100);
  while (!threadsSleep()) await new Promise(setImmediate);
  t.is(await begin(it, [into], 0).done, 100, 'and is woken');
});

test('the thread keeps no program alive that has nothing else to do', async (t) => {
  const { directory } = await scene(t, Buffer.alloc(1));
  const path = join(directory, 'object');
  const module = new URL('../../../shared/runtime/node/shared-files.ts', import.meta.url).href;
  const program = `
    import { makeSharedFiles } from '${module}';
    const file = await makeSharedFiles().open('${path}', '${await identityOf(path)}');
    console.log(file !== undefined);
  `;
  const words = ['--import=tsx', '--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  t.is(stdout, 'true\n');
});
