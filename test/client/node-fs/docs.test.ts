/** docs/FS.md tells what there is and what there is not, of all that Node has. */
import * as nodeFs from 'node:fs';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { FileHandle } from '../../../client/node-fs/file-handle.ts';
import { nodeShaped } from '../../../client/node-fs/node-fs.ts';
import type { FileSystem } from '../../../client/file-system.ts';
import { projectPath } from '../../../scripts/project.ts';

const page = readFileSync(projectPath('docs/FS.md'), 'utf8');
// What it is made of is not called.
const fs = nodeShaped({} as FileSystem);

/** The rows of a section, by the name in their first column. */
function rowsOf(heading: string): Map<string, readonly string[]> {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = [...section.matchAll(/^\| `(\w+)` *\|(.*)\|$/gm)].map(
    ([, name = '', cells = '']) => [name, cells.split('|').map((cell) => cell.trim())] as const,
  );
  return new Map(rows);
}

/** `yes`; `no` for what is missing and for what only refuses. */
async function verdictOf(from: object, name: string): Promise<'yes' | 'no'> {
  const method = (from as Record<string, unknown>)[name];
  if (typeof method !== 'function') return 'no';
  try {
    await (method as () => unknown).call(from);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_METHOD_NOT_IMPLEMENTED') return 'no';
  }
  return 'yes';
}

/** A newer Node has methods that the page cannot know. */
const isNode20 = process.versions.node.startsWith('20.');
const isMethod = (name: string): boolean => /^[a-z]\w+$/.test(name) && !name.endsWith('Sync');
const notInTable = new Set([
  'default',
  'constants',
  'promises',
  'createReadStream',
  'createWriteStream',
]);

test('the page lists every method of Node, and says truly whether it is there', async (t) => {
  const rows = rowsOf('`fs.promises`, and the callbacks');
  for (const [name, [promised, calledBack]] of rows) {
    if (name in nodeFs.promises) t.is(promised, await verdictOf(fs.promises, name), name);
    else t.is(promised, '', name);
    t.is(calledBack, await verdictOf(fs, name), name);
  }
  if (!isNode20) return;
  const all = [...Object.keys(nodeFs), ...Object.keys(nodeFs.promises)].filter(isMethod);
  t.deepEqual(
    [...new Set(all)].filter((name) => !rows.has(name) && !notInTable.has(name)),
    [],
  );
});

test('the page lists every method of a FileHandle', async (t) => {
  const rows = rowsOf('`FileHandle`');
  const handle = await nodeFs.promises.open('.');
  const names = [...Object.getOwnPropertyNames(Object.getPrototypeOf(handle)), 'close'];
  await handle.close();
  const ours = [...Object.getOwnPropertyNames(FileHandle.prototype), 'close'];
  for (const [name, [there]] of rows) t.is(there, ours.includes(name) ? 'yes' : 'no', name);
  if (!isNode20) return;
  t.deepEqual(
    names.filter((name) => name !== 'constructor' && !rows.has(name)),
    [],
  );
});

test('what the page says is there besides, is there', (t) => {
  const names =
    page.match(/`createReadStream`, [^]*?are there/)?.[0].match(/(?<=`)\w+(?=`)/g) ?? [];
  t.true(names.length >= 12);
  for (const name of names) t.true(name in fs, name);
});

test('all is its own, so that copies of the file system have it too', (t) => {
  const copy = Object.assign({}, fs);
  t.is(typeof copy.readFile, 'function');
  t.is(typeof copy.promises.readFile, 'function');
  t.is(Object.getOwnPropertyDescriptor(fs, 'promises')?.enumerable, true);
});
