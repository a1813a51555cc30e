import test from 'ava';
import type { FileSystem } from '../../client/file-system.ts';
import { removeTree } from '../../client/tree.ts';
import { FsError } from '../../shared/errno.ts';

/** Directories by path, each with pages of names; those that end in a slash are directories. */
type Tree = Readonly<Record<string, readonly (readonly string[])[]>>;

function volume(tree: Tree, failing?: string) {
  const gone: string[] = [];
  const remove = (path: Buffer): Promise<void> => {
    if (String(path) === failing) return Promise.reject(new FsError('EACCES'));
    gone.push(String(path));
    return Promise.resolve();
  };
  const fs = {
    opendir: (path: Buffer | string) => ({
      *pages() {
        for (const names of tree[String(path)] ?? []) {
          yield names.map((name) => ({
            pathComponent: Buffer.from(name.replace('/', '')),
            isDirectory: () => name.endsWith('/'),
          }));
        }
      },
    }),
    unlink: remove,
    rmdir: remove,
  };
  return { fs: fs as unknown as FileSystem, gone };
}

const tree = { '/t': [['a', 'sub/'], ['b']], '/t/sub': [['c']] };

test('what is removed of a tree is told name by name, itself included', async (t) => {
  const { fs, gone } = volume(tree);
  let removed = 0;
  await removeTree(fs, '/t', { removed: () => removed++ });
  t.deepEqual(gone, ['/t/a', '/t/sub/c', '/t/sub', '/t/b', '/t']);
  t.is(removed, gone.length);
});

test('what could not be removed is not told', async (t) => {
  const { fs, gone } = volume(tree, '/t/sub/c');
  let removed = 0;
  await t.throwsAsync(removeTree(fs, '/t', { removed: () => removed++ }), { code: 'EACCES' });
  t.is(removed, gone.length);
});
