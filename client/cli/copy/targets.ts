/** From the operands of `cp` to what goes where, with the rules of cp(1). */
import assert from 'node:assert/strict';
import { toFsError } from '../../../shared/errno.ts';
import { CommandError } from '../failure.ts';
import { UsageError } from '../arguments.ts';
import { below, endsInSlash, lastName, type Node, parentPath, type Tree } from './tree.ts';

export interface Place {
  readonly tree: Tree;
  readonly path: Buffer;
}

export interface CopyPair {
  readonly from: Place;
  readonly to: Place;
}

/** What is wrong whatever is where. @throws UsageError */
export function checkOperands(kinds: readonly Tree['kind'][]): void {
  if (kinds.length < 2) {
    throw new UsageError('cp needs a source and a target', 'weft cp [-r] FROM... TO');
  }
  if (kinds.every((kind) => kind === 'local')) {
    throw new UsageError('no operand is in the file system', 'write it as weft:/path');
  }
}

/** The last operand is the target: into it when it is a directory. @throws UsageError */
export async function pairUp(operands: readonly Place[]): Promise<readonly CopyPair[]> {
  checkOperands(operands.map(({ tree }) => tree.kind));
  const target = operands.at(-1);
  assert(target !== undefined, 'there are two at least');
  const sources = operands.slice(0, -1);
  const into = (await nodeAt(target, 'stat'))?.kind === 'directory';
  if (sources.length > 1 && !into) {
    throw new UsageError(
      `'${target.tree.show(target.path)}' is no directory`,
      'several files can go into one only: weft mkdir',
    );
  }
  return sources.map((from) => {
    const name = lastName(from.path);
    // `cp -r weft:/ DIR` and `cp -r . weft:/` mean what is in there.
    const whole = name.length === 0 || ['.', '..'].includes(name.toString('latin1'));
    const path = into && !whole ? below(target.path, name) : target.path;
    return { from, to: { tree: target.tree, path } };
  });
}

/** @returns `undefined` when there is nothing; a symbolic link that leads nowhere is something */
export async function nodeAt(
  { tree, path }: Place,
  how: 'stat' | 'lstat',
): Promise<Node | undefined> {
  try {
    return await tree[how](path);
  } catch (error: unknown) {
    if (['ENOENT', 'ENOTDIR'].includes(toFsError(error).code)) return undefined;
    throw error;
  }
}

/** What cannot be: a file onto itself, a directory into itself, one kind over another. */
export async function checkPair({ from, to }: CopyPair, node: Node): Promise<void> {
  const there = await nodeAt(to, 'stat');
  const same = from.tree.kind === to.tree.kind;
  if (same && there?.id === node.id) {
    throw refusal({ from, to }, 'EINVAL', 'are the same file');
  }
  if (node.kind === 'directory') {
    if (there !== undefined && there.kind !== 'directory') {
      throw refusal({ from, to }, 'ENOTDIR', 'the target is there, and is no directory');
    }
    if (same && (await isInside(to, node))) {
      throw refusal({ from, to }, 'EINVAL', 'a directory cannot be copied into itself');
    }
    return;
  }
  if (there?.kind === 'directory') {
    throw refusal({ from, to }, 'EISDIR', 'the target is there, and is a directory');
  }
  if (endsInSlash(to.path)) {
    throw refusal({ from, to }, 'ENOTDIR', 'the target ends in a slash and is no directory');
  }
}

function refusal({ from, to }: CopyPair, code: string, why: string): CommandError {
  const names = `'${from.tree.show(from.path)}' and '${to.tree.show(to.path)}'`;
  return new CommandError(
    code,
    why === 'are the same file' ? `${names} ${why}` : `${names}: ${why}`,
    {
      effect: 'it was not copied',
      path: to.tree.show(to.path),
    },
  );
}

/** Goes up from the target to the root, by `..`, as the system does. */
async function isInside({ tree, path }: Place, directory: Node): Promise<boolean> {
  let last: string | undefined;
  for (let up = parentPath(path); ; up = below(up, Buffer.from('..'))) {
    const node = await nodeAt({ tree, path: up }, 'stat');
    if (node === undefined || node.id === last) return false;
    if (node.id === directory.id) return true;
    last = node.id;
  }
}
