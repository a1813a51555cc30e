/**
 * The same name space written the plainest way: objects that point at each other, no store, no
 * handles, link counts by counting. What the real one does is compared with it.
 */
import type { Errno } from '../../shared/errno.ts';

export interface Node {
  readonly kind: 'file' | 'directory' | 'symlink';
  readonly children: Map<string, Node>;
  readonly target: string;
  parent: Node | undefined;
}

class Refusal extends Error {
  readonly code: Errno;
  constructor(code: Errno) {
    super(code);
    this.code = code;
  }
}

function refuse(code: Errno): never {
  throw new Refusal(code);
}

/** @returns the errno, or undefined for success */
export function outcomeOf(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

function node(kind: Node['kind'], parent?: Node, target = ''): Node {
  return { kind, children: new Map(), target, parent };
}

/** Paths are absolute, of plain names; symlinks in them are followed but for the last one. */
export class ReferenceTree {
  readonly root = node('directory');

  #walk(path: string, links = 0): { directory: Node; name: string; found: Node | undefined } {
    const parts = path.split('/').filter((part) => part !== '');
    const name = parts.pop() ?? '';
    let directory = this.root;
    for (const [at, part] of parts.entries()) {
      const next = directory.children.get(part) ?? refuse('ENOENT');
      if (next.kind === 'file') refuse('ENOTDIR');
      if (next.kind === 'symlink') {
        if (links === 40) refuse('ELOOP');
        return this.#walk([next.target, ...parts.slice(at + 1), name].join('/'), links + 1);
      }
      directory = next;
    }
    return { directory, name, found: directory.children.get(name) };
  }

  make(path: string, kind: Node['kind'], target = ''): void {
    const { directory, name, found } = this.#walk(path);
    if (found !== undefined) refuse('EEXIST');
    directory.children.set(name, node(kind, directory, target));
  }

  link(from: string, to: string): void {
    const source = this.#walk(from).found ?? refuse('ENOENT');
    const { directory, name, found } = this.#walk(to);
    if (found !== undefined) refuse('EEXIST');
    if (source.kind === 'directory') refuse('EPERM');
    directory.children.set(name, source);
  }

  unlink(path: string): void {
    const { directory, name, found } = this.#walk(path);
    if (found === undefined) refuse('ENOENT');
    if (found.kind === 'directory') refuse('EISDIR');
    directory.children.delete(name);
  }

  removeDirectory(path: string): void {
    const { directory, name, found } = this.#walk(path);
    if (found === undefined) refuse('ENOENT');
    if (found.kind !== 'directory') refuse('ENOTDIR');
    if (found.children.size > 0) refuse('ENOTEMPTY');
    directory.children.delete(name);
  }

  rename(from: string, to: string, exchange: boolean): void {
    const source = this.#walk(from);
    const target = this.#walk(to);
    const moving = source.found ?? refuse('ENOENT');
    const there = target.found;
    if (exchange && there === undefined) refuse('ENOENT');
    if (within(target.directory, moving)) refuse('EINVAL');
    if (there !== undefined && within(source.directory, there)) {
      refuse(exchange ? 'EINVAL' : 'ENOTEMPTY');
    }
    if (moving === there) return;
    if (!exchange && there !== undefined) {
      if (moving.kind === 'directory' && there.kind !== 'directory') refuse('ENOTDIR');
      if (moving.kind !== 'directory' && there.kind === 'directory') refuse('EISDIR');
      if (there.children.size > 0) refuse('ENOTEMPTY');
    }
    source.directory.children.delete(source.name);
    if (exchange && there !== undefined) {
      source.directory.children.set(source.name, there);
      if (there.kind === 'directory') there.parent = source.directory;
    }
    target.directory.children.set(target.name, moving);
    if (moving.kind === 'directory') moving.parent = target.directory;
  }

  /** Every path and what it leads to, with link counts: the whole state as text. */
  print(): string[] {
    const names = new Map<Node, number>();
    const lines: [string, Node][] = [];
    const visit = (directory: Node, path: string): void => {
      for (const [name, child] of directory.children) {
        names.set(child, (names.get(child) ?? 0) + 1);
        lines.push([`${path}/${name}`, child]);
        visit(child, `${path}/${name}`);
      }
    };
    visit(this.root, '');
    return lines
      .map(([path, child]) => `${path} ${child.kind} ${linksOf(child, names)} ${child.target}`)
      .toSorted();
  }
}

function linksOf(of: Node, names: Map<Node, number>): number {
  if (of.kind !== 'directory') return names.get(of) ?? 0;
  return 2 + [...of.children.values()].filter(({ kind }) => kind === 'directory').length;
}

function within(directory: Node, ancestor: Node): boolean {
  for (let at: Node | undefined = directory; at !== undefined; at = at.parent) {
    if (at === ancestor) return true;
  }
  return false;
}
