/**
 * The names of one disk: directories now, and as they would be after a power loss. A change of
 * names is all or nothing (so a rename is), and durable once a directory it touched was synced.
 */
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type { SimRandom } from './random.ts';
import { SparseFile } from './sparse-file.ts';

export class FileNode {
  readonly kind = 'file';
  readonly content: SparseFile;
  modifiedMs = 0;
  /** How many descriptors are open on it. */
  opens = 0;
  hasName = true;

  constructor(content: SparseFile) {
    this.content = content;
  }
}

export class DirectoryNode {
  readonly kind = 'directory';
  readonly entries = new Map<string, Node>();
  readonly durable = new Map<string, Node>();
  modifiedMs = 0;
}

export type Node = FileNode | DirectoryNode;

interface Edit {
  readonly directory: DirectoryNode;
  readonly name: string;
  /** `undefined`: the name goes. */
  readonly node: Node | undefined;
}

/** Directory and last name of a path. */
interface Place {
  readonly directory: DirectoryNode;
  readonly name: string;
}

export class NameTree {
  readonly root = new DirectoryNode();
  /** Changes that a power loss may undo, in order. */
  readonly #pending = new Set<readonly Edit[]>();

  /** @throws FsError ENOTDIR */
  find(path: string): Node | undefined {
    let node: Node | undefined = this.root;
    for (const name of names(path)) {
      if (node === undefined) return undefined;
      if (node.kind === 'file') throw new FsError('ENOTDIR', { path });
      node = node.entries.get(name);
    }
    return node;
  }

  /** @throws FsError ENOENT, ENOTDIR */
  directory(path: string): DirectoryNode {
    const node = this.find(path);
    if (node?.kind === 'directory') return node;
    throw new FsError(node ? 'ENOTDIR' : 'ENOENT', { path });
  }

  /** @throws FsError ENOENT, EISDIR, ENOTDIR */
  file(path: string): FileNode {
    const node = this.find(path);
    if (node?.kind === 'file') return node;
    throw new FsError(node ? 'EISDIR' : 'ENOENT', { path });
  }

  add(path: string, node: Node): void {
    this.#change([{ ...this.#place(path), node }]);
  }

  makeDirectory(path: string): void {
    let at = '';
    for (const name of names(path)) {
      at += `/${name}`;
      if (!this.find(at)) this.add(at, new DirectoryNode());
    }
    this.directory(path);
  }

  /** @returns what was removed @throws FsError ENOENT, ENOTEMPTY */
  remove(path: string): Node {
    const place = this.#place(path);
    const node = place.directory.entries.get(place.name);
    if (!node) throw new FsError('ENOENT', { path });
    checkEmpty(node, path);
    this.#change([{ ...place, node: undefined }]);
    return node;
  }

  /** @returns what was replaced @throws FsError ENOENT, EISDIR, ENOTDIR, ENOTEMPTY, EINVAL */
  rename(from: string, to: string): Node | undefined {
    const source = this.#place(from);
    const target = this.#place(to);
    const node = source.directory.entries.get(source.name);
    if (!node) throw new FsError('ENOENT', { path: from, dest: to });
    const replaced = target.directory.entries.get(target.name);
    if (replaced === node) return undefined;
    if (node.kind === 'directory' && `${normal(to)}/`.startsWith(`${normal(from)}/`)) {
      throw new FsError('EINVAL', { path: from, dest: to });
    }
    if (replaced && replaced.kind !== node.kind) {
      const code = replaced.kind === 'directory' ? 'EISDIR' : 'ENOTDIR';
      throw new FsError(code, { path: from, dest: to });
    }
    if (replaced) checkEmpty(replaced, to);
    this.#change([
      { ...source, node: undefined },
      { ...target, node },
    ]);
    return replaced;
  }

  sync(directory: DirectoryNode): void {
    for (const edits of this.#pending) {
      if (!edits.some((edit) => edit.directory === directory)) continue;
      this.#pending.delete(edits);
      makeDurable(edits);
    }
  }

  /** Each change of names that was not synced is lost or kept. @returns the files that are left */
  powerLoss(random: SimRandom): FileNode[] {
    for (const edits of this.#pending) if (random.chance(0.5)) makeDurable(edits);
    this.#pending.clear();
    return files(this.root, (directory) => {
      directory.entries.clear();
      for (const [name, node] of directory.durable) directory.entries.set(name, node);
    });
  }

  files(): FileNode[] {
    return files(this.root);
  }

  /** A copy all of which is durable. */
  clone(): NameTree {
    const copy = new NameTree();
    copyEntries(this.root, copy.root);
    return copy;
  }

  /** @throws FsError ENOENT, ENOTDIR, EINVAL for the root */
  #place(path: string): Place {
    const parts = names(path);
    const name = parts.pop();
    if (name === undefined) throw new FsError('EINVAL', { path });
    return { directory: this.directory(parts.join('/')), name };
  }

  #change(edits: readonly Edit[]): void {
    for (const { directory, name, node } of edits) {
      if (node) directory.entries.set(name, node);
      else directory.entries.delete(name);
    }
    this.#pending.add(edits);
  }
}

function makeDurable(edits: readonly Edit[]): void {
  for (const { directory, name, node } of edits) {
    if (node) directory.durable.set(name, node);
    else directory.durable.delete(name);
  }
}

function checkEmpty(node: Node, path: string): void {
  if (node.kind === 'directory' && node.entries.size > 0) throw new FsError('ENOTEMPTY', { path });
}

function files(directory: DirectoryNode, visit?: (directory: DirectoryNode) => void): FileNode[] {
  visit?.(directory);
  return [...directory.entries.values()].flatMap((node) =>
    node.kind === 'file' ? [node] : files(node, visit),
  );
}

function copyEntries(from: DirectoryNode, to: DirectoryNode): void {
  for (const [name, node] of from.entries) {
    let copy: Node;
    if (node.kind === 'file') copy = new FileNode(node.content.clone());
    else copyEntries(node, (copy = new DirectoryNode()));
    copy.modifiedMs = node.modifiedMs;
    to.entries.set(name, copy);
    to.durable.set(name, copy);
  }
}

function names(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new FsError('EINVAL', { path, what: 'no `..` in paths' });
  if (parts.some((part) => Buffer.byteLength(part) > limits.nameBytesMax))
    throw new FsError('ENAMETOOLONG', { path });
  return parts;
}

function normal(path: string): string {
  return names(path).join('/');
}
