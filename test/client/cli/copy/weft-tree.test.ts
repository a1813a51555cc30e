/** Files that are copied into a cluster and out of it: small ones in one round trip each way. */
import test from 'ava';
import { copyContent } from '../../../../client/cli/copy/copy-content.ts';
import type { Tree } from '../../../../client/cli/copy/tree.ts';
import { weftTree } from '../../../../client/cli/copy/weft-tree.ts';
import { SmallTarget } from '../../../../client/cli/copy/small-target.ts';
import type { FileSystem } from '../../../../client/file-system.ts';
import { FsError } from '../../../../shared/errno.ts';
import { limits } from '../../../../shared/limits.ts';
import { startLocalCluster } from '../../node-fs/local-cluster.ts';

const smallFileBytes = 100;
const sizes = [0, 1, 100, 101, limits.smallFileBytesDefault, limits.smallFileBytesDefault + 1];
const wish = { mode: 0o640, layout: undefined };

function bytesOf(size: number, value: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, i) => (i + value) % 251));
}

/** @param hint how long it seems to be */
async function put(tree: Tree, path: Buffer, content: Buffer, hint: number): Promise<void> {
  const target = await tree.create(path, { ...wish, sizeHint: hint });
  const source = {
    read: (into: Uint8Array, at: number) => Promise.resolve(content.copy(into, 0, at)),
    close: () => Promise.resolve(),
  };
  await copyContent(source, target, hint, () => undefined);
  await target.close(false);
}

async function get(tree: Tree, path: Buffer, hint: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  const source = await tree.open(path, hint);
  const target = {
    write: (from: Uint8Array) => Promise.resolve(void parts.push(Buffer.from(from))),
    close: () => Promise.resolve(),
  };
  await copyContent(source, target, hint, () => undefined);
  await source.close();
  return Buffer.concat(parts);
}

test('files of every size arrive whole and come back, over others too, whatever they seemed to be', async (t) => {
  const cluster = await startLocalCluster(2, smallFileBytes);
  t.teardown(() => cluster.stop());
  const tree = weftTree(cluster.fs);
  for (const [i, size] of sizes.entries()) {
    for (const [j, hint] of sizes.entries()) {
      const path = Buffer.from(`/f${(i + j) % sizes.length}`);
      const content = bytesOf(size, 10 * i + j);
      await put(tree, path, content, hint);
      t.deepEqual(await get(tree, path, hint), content, `${size} bytes, ${hint} seen`);
      t.is((await tree.stat(path)).size, size);
    }
  }
  t.is((await cluster.fs.status()).opens, 0);
});

test('nothing of a small file is seen before all of it', async (t) => {
  const cluster = await startLocalCluster(2, smallFileBytes);
  t.teardown(() => cluster.stop());
  const tree = weftTree(cluster.fs);
  const path = Buffer.from('/f');
  const target = await tree.create(path, { ...wish, sizeHint: 6 });
  await target.write(Buffer.from('def'), 3);
  await target.write(Buffer.from('abc'), 0);
  await t.throwsAsync(tree.stat(path), { code: 'ENOENT' });
  await target.close(true);
  t.is((await cluster.fs.readFile(path)).toString(), 'abcdef');
  t.is((await tree.stat(path)).mode, wish.mode);
});

test('a file that was opened after all is closed, also when what was gathered cannot be written', async (t) => {
  const done: string[] = [];
  const file = {
    write: () => Promise.reject(new FsError('ENOSPC')),
    close: () => Promise.resolve(void done.push('closed')),
  };
  const fs = {
    writeSmallFile: () => Promise.resolve(false),
    open: () => Promise.resolve(void done.push('opened')).then(() => file),
  } as unknown as FileSystem;
  const target = new SmallTarget(fs, Buffer.from('/f'), {});
  await target.write(Buffer.from('abc'), 0);
  await t.throwsAsync(target.close(false), { code: 'ENOSPC' });
  t.deepEqual(done, ['opened', 'closed']);
});
