/** Calls that the mgr answers alone. */
import type { FileSystem } from '../client/index.ts';
import { inParallel } from './data-calls.ts';
import type { NameCall, Task } from './tasks.ts';

type NamesTask = Extract<Task, { readonly kind: 'names' }>;
type TreeTask = Extract<Task, { readonly kind: 'tree' }>;

const filesPerDirectory = 10_000;
const treeDepth = 128;
const block = Buffer.alloc(4096, 0x5a);

const calls: Readonly<Record<NameCall, (fs: FileSystem, path: string) => Promise<unknown>>> = {
  create: (fs, path) => fs.mknod(path, 'file'),
  'writeFile of 4 KiB': (fs, path) => fs.writeFile(path, block),
  'readFile of 4 KiB': (fs, path) => fs.readFile(path),
  'open + close': async (fs, path) => (await fs.open(path, 'r')).close(),
  stat: (fs, path) => fs.stat(path),
  readdir: (fs, path) => fs.readdir(path.slice(0, path.lastIndexOf('/')), { attributes: true }),
  unlink: (fs, path) => fs.unlink(path),
};

/** @returns calls made */
export async function callNames(fs: FileSystem, task: NamesTask): Promise<number> {
  const { call, directory, depth, count, rounds } = task;
  const run = calls[call];
  let next = 0;
  await inParallel(depth, async () => {
    while (next < count * rounds) await run(fs, `${directory}/file-${next++ % count}`);
  });
  return next;
}

/** Files in a directory, or many in directories of usual size below it. @returns how many */
export async function makeTree(fs: FileSystem, { directory, files }: TreeTask): Promise<number> {
  await fs.mkdir(directory, { recursive: true });
  for (let from = 0; from < files; from += filesPerDirectory) {
    const part = from === 0 ? directory : `${directory}/part-${from / filesPerDirectory}`;
    await fs.mkdir(part, { recursive: true });
    const count = Math.min(filesPerDirectory, files - from);
    const task = {
      kind: 'names',
      call: 'create',
      directory: part,
      depth: treeDepth,
      count,
      rounds: 1,
    } as const;
    await callNames(fs, task);
  }
  return files;
}
