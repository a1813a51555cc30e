/**
 * The name space as it should be, written the plainest way: states that never change, and for each
 * call the next state and what the call must answer. Pure. What files contain is elsewhere.
 */
import type { Errno } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';

export type NameCall =
  | { readonly kind: 'mkdir' | 'rmdir' | 'unlink' | 'stat' | 'readdir'; readonly path: string }
  | { readonly kind: 'readlink' | 'listxattr'; readonly path: string }
  | { readonly kind: 'link' | 'rename'; readonly path: string; readonly to: string }
  | { readonly kind: 'renameNoReplace' | 'exchange'; readonly path: string; readonly to: string }
  /** Of an absolute target. */
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | { readonly kind: 'chmod'; readonly path: string; readonly mode: number }
  | {
      readonly kind: 'setxattr';
      readonly path: string;
      readonly name: string;
      readonly value: string;
    }
  | { readonly kind: 'getxattr' | 'removexattr'; readonly path: string; readonly name: string }
  | {
      /** Of a file, for writing. */
      readonly kind: 'open';
      readonly path: string;
      readonly create: boolean;
      readonly exclusive: boolean;
    };

/** Names nodes: that of the call that made it. */
type NodeId = string;

interface Node {
  readonly kind: 'file' | 'directory' | 'symlink';
  readonly mode: number;
  readonly target: string;
  readonly xattrs: ReadonlyMap<string, string>;
  readonly entries: ReadonlyMap<string, NodeId>;
}

export interface Answer {
  /** An errno, or what was answered, as text. */
  readonly text: string;
  /** Which node it was about, where the answer tells. */
  readonly node?: NodeId | undefined;
}

class Refusal extends Error {
  readonly code: Errno;

  constructor(code: Errno) {
    super(code);
    this.code = code;
  }
}

const rootId = 'root';
const newNode = { mode: 0, target: '', xattrs: new Map(), entries: new Map() } as const;

export class NameState {
  readonly #nodes: ReadonlyMap<NodeId, Node>;
  #key: string | undefined;

  constructor(
    nodes: ReadonlyMap<NodeId, Node> = new Map([
      [rootId, { ...newNode, kind: 'directory', mode: 0o755 } as const],
    ]),
  ) {
    this.#nodes = nodes;
  }

  /** Equal for equal states. */
  get key(): string {
    this.#key ??= [...this.#nodes.keys()]
      .toSorted()
      .map((id) => this.#print(id))
      .join('\n');
    return this.#key;
  }

  /** @param id names what the call makes, if it makes anything */
  apply(call: NameCall, id: NodeId): { readonly state: NameState; readonly answer: Answer } {
    try {
      return this.#apply(call, id);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { state: this, answer: { text: error.code } };
    }
  }

  get files(): readonly NodeId[] {
    return [...this.#nodes].flatMap(([id, { kind }]) => (kind === 'file' ? [id] : []));
  }

  withMode(id: NodeId, mode: number): NameState {
    return new NameState(new Map(this.#nodes).set(id, { ...this.#node(id), mode }));
  }

  /** Paths of everything, sorted. */
  paths(): string[] {
    const found: string[] = [];
    const visit = (id: NodeId, path: string): void => {
      for (const [name, child] of this.#node(id).entries) {
        found.push(`${path}/${name}`);
        visit(child, `${path}/${name}`);
      }
    };
    visit(rootId, '');
    return found.toSorted();
  }

  #apply(call: NameCall, id: NodeId): { readonly state: NameState; readonly answer: Answer } {
    const at = this.#walk(call.path, follows(call));
    const done = { text: 'done' };
    switch (call.kind) {
      case 'mkdir':
        if (at.id !== undefined) refuse('EEXIST');
        return { state: this.#add(at, id, { ...newNode, kind: 'directory' }), answer: done };
      case 'symlink': {
        if (at.id !== undefined) refuse('EEXIST');
        const node = { ...newNode, kind: 'symlink', target: call.target } as const;
        return { state: this.#add(at, id, node), answer: done };
      }
      case 'rmdir':
        if (this.#there(at).kind !== 'directory') refuse('ENOTDIR');
        if (this.#there(at).entries.size > 0) refuse('ENOTEMPTY');
        return { state: this.#unlinked(at), answer: done };
      case 'unlink':
        if (this.#there(at).kind === 'directory') refuse('EISDIR');
        return { state: this.#unlinked(at), answer: done };
      case 'link': {
        const { kind } = this.#there(at);
        const to = this.#walk(call.to);
        if (to.id !== undefined) refuse('EEXIST');
        if (kind === 'directory') refuse('EPERM');
        return { state: this.#entered(to.parent, to.name, at.id), answer: done };
      }
      case 'rename':
      case 'renameNoReplace':
      case 'exchange':
        return { state: this.#renamed(at, this.#walk(call.to), call.kind), answer: done };
      case 'open': {
        if (at.id === undefined) {
          if (!call.create) refuse('ENOENT');
          const state = this.#add(at, id, { ...newNode, kind: 'file', mode: 0o644 });
          return { state, answer: { text: 'open', node: id } };
        }
        if (call.exclusive) refuse('EEXIST');
        if (this.#there(at).kind === 'directory') refuse('EISDIR');
        return { state: this, answer: { text: 'open', node: at.id } };
      }
      case 'chmod': {
        const state = this.#changed(at, { mode: call.mode });
        return { state, answer: done };
      }
      case 'setxattr': {
        const xattrs = new Map(this.#there(at).xattrs).set(call.name, call.value);
        return { state: this.#changed(at, { xattrs }), answer: done };
      }
      case 'removexattr': {
        const xattrs = new Map(this.#there(at).xattrs);
        if (!xattrs.delete(call.name)) refuse('ENODATA');
        return { state: this.#changed(at, { xattrs }), answer: done };
      }
      case 'getxattr': {
        const value = this.#there(at).xattrs.get(call.name) ?? refuse('ENODATA');
        return { state: this, answer: { text: `value ${value}` } };
      }
      case 'listxattr': {
        const names = [...this.#there(at).xattrs.keys()].toSorted();
        return { state: this, answer: { text: `names ${names.join(' ')}` } };
      }
      case 'readlink': {
        const { kind, target } = this.#there(at);
        if (kind !== 'symlink') refuse('EINVAL');
        return { state: this, answer: { text: `target ${target}` } };
      }
      case 'stat': {
        const { kind, mode } = this.#there(at);
        const text = `${kind} ${kind === 'file' ? mode.toString(8) : ''} ${this.#links(at.id)}`;
        return { state: this, answer: { text, node: at.id } };
      }
      case 'readdir':
        break;
    }
    const { kind, entries } = this.#there(at);
    if (kind !== 'directory') refuse('ENOTDIR');
    const names = [...entries].map(([name, child]) => `${name}:${this.#node(child).kind}`);
    return { state: this, answer: { text: names.toSorted().join(' ') } };
  }

  #node(id: NodeId | undefined): Node {
    const node = id === undefined ? undefined : this.#nodes.get(id);
    return node ?? refuse('ENOENT');
  }

  #there({ id }: Place): Node {
    return this.#node(id);
  }

  /** @param follow whether a symbolic link at the end of the path is what it leads to */
  #walk(path: string, follow = false, linksFollowed = 0): Place {
    const parts = path.split('/').filter((part) => part !== '');
    const parents = [rootId];
    let parent = rootId;
    for (const [i, name] of parts.entries()) {
      const isLast = i === parts.length - 1;
      const id = this.#node(parent).entries.get(name);
      const node = id === undefined ? undefined : this.#node(id);
      if (node?.kind === 'symlink' && (follow || !isLast)) {
        if (linksFollowed === limits.symlinksFollowedMax) refuse('ELOOP');
        const onward = [node.target, ...parts.slice(i + 1)].join('/');
        return this.#walk(onward, follow, linksFollowed + 1);
      }
      if (isLast) return { parents, parent, name, id };
      if (id === undefined) refuse('ENOENT');
      if (node?.kind !== 'directory') refuse('ENOTDIR');
      parent = id;
      parents.push(parent);
    }
    return { parents, parent, name: '', id: rootId };
  }

  #links(id: NodeId | undefined): number {
    if (this.#node(id).kind === 'directory') {
      const children = [...this.#node(id).entries.values()].map((child) => this.#node(child));
      return 2 + children.filter(({ kind }) => kind === 'directory').length;
    }
    let links = 0;
    for (const { entries } of this.#nodes.values()) {
      for (const child of entries.values()) if (child === id) links++;
    }
    return links;
  }

  #with(changes: readonly (readonly [NodeId, Node])[]): NameState {
    return new NameState(new Map([...this.#nodes, ...changes]));
  }

  #changed({ id }: Place, changes: Partial<Node>): NameState {
    return this.#with([[id ?? refuse('ENOENT'), { ...this.#node(id), ...changes }]]);
  }

  #add({ parent, name }: Place, id: NodeId, node: Node): NameState {
    return this.#with([[id, node]]).#entered(parent, name, id);
  }

  /** `name` leads to `id` from now on, or nowhere. */
  #entered(parent: NodeId, name: string, id: NodeId | undefined): NameState {
    const directory = this.#node(parent);
    const entries = new Map(directory.entries);
    if (id === undefined) entries.delete(name);
    else entries.set(name, id);
    return this.#with([[parent, { ...directory, entries }]]);
  }

  #unlinked({ parent, name, id }: Place): NameState {
    const state = this.#entered(parent, name, undefined);
    if (id === undefined || state.#isNamed(id)) return state;
    return new NameState(new Map([...state.#nodes].filter(([other]) => other !== id)));
  }

  #isNamed(id: NodeId): boolean {
    return [...this.#nodes.values()].some(({ entries }) => [...entries.values()].includes(id));
  }

  #renamed(from: Place, to: Place, how: 'rename' | 'renameNoReplace' | 'exchange'): NameState {
    const source = this.#there(from);
    const target = to.id === undefined ? undefined : this.#node(to.id);
    if (how === 'renameNoReplace' && target !== undefined) refuse('EEXIST');
    if (how === 'exchange' && target === undefined) refuse('ENOENT');
    if (source.kind === 'directory' && to.parents.includes(from.id ?? '')) refuse('EINVAL');
    if (target?.kind === 'directory' && from.parents.includes(to.id ?? '')) {
      refuse(how === 'exchange' ? 'EINVAL' : 'ENOTEMPTY');
    }
    if (from.id === to.id) return this;
    if (how === 'exchange') {
      const state = this.#entered(from.parent, from.name, to.id);
      return state.#entered(to.parent, to.name, from.id);
    }
    if (target !== undefined) {
      if (source.kind === 'directory' && target.kind !== 'directory') refuse('ENOTDIR');
      if (source.kind !== 'directory' && target.kind === 'directory') refuse('EISDIR');
      if (target.entries.size > 0) refuse('ENOTEMPTY');
    }
    const cleared = target === undefined ? this : this.#unlinked(to);
    const moved = cleared.#entered(from.parent, from.name, undefined);
    return moved.#entered(to.parent, to.name, from.id);
  }

  #print(id: NodeId): string {
    const { kind, mode, target, xattrs, entries } = this.#node(id);
    return JSON.stringify([id, kind, mode, target, sorted(xattrs), sorted(entries)]);
  }
}

interface Place {
  /** Ids on the way down, with that of the directory. */
  readonly parents: readonly NodeId[];
  readonly parent: NodeId;
  readonly name: string;
  readonly id: NodeId | undefined;
}

/** Whether the call is about what a symbolic link leads to, and not about the link. */
function follows(call: NameCall): boolean {
  if (call.kind === 'open') return !call.exclusive;
  return /^(chmod|readdir|.*xattr)$/.test(call.kind);
}

function sorted(map: ReadonlyMap<string, string>): [string, string][] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** One for each errno: a new one costs more than all else of a call that is refused. */
const refusals = new Map<Errno, Refusal>();

function refuse(code: Errno): never {
  const refusal = refusals.get(code) ?? new Refusal(code);
  refusals.set(code, refusal);
  throw refusal;
}
