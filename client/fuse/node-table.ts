/**
 * What the kernel refers to. A node's number is the file's handle, which never leads to anything
 * else, so the table is no translation: it counts references and keeps what must not be asked for
 * again with every write.
 */
import assert from 'node:assert/strict';
import { NumberMap } from '../../shared/number-map.ts';
import type { Handle, Timestamp } from '../../shared/units.ts';
import type { Attr } from '../../shared/wire/values.ts';

interface Node {
  lookups: number;
  mode: number;
  /** Set by a program while the file is open for writing: its iods know only of the writes. */
  modified: Timestamp | undefined;
}

export class NodeTable {
  readonly #nodes = new NumberMap<number, Node>();

  get size(): number {
    return this.#nodes.size;
  }

  /** The kernel is told of a node: one reference more. */
  refer(attr: Attr): Attr {
    const node = this.#nodes.get(attr.handle);
    if (node === undefined) {
      this.#nodes.set(attr.handle, { lookups: 1, mode: attr.mode, modified: undefined });
      return attr;
    }
    node.lookups++;
    return this.seen(attr);
  }

  /** The latest attributes of a node. @returns them with the time that a program has set */
  seen(attr: Attr): Attr {
    const node = this.#nodes.get(attr.handle);
    if (node === undefined) return attr;
    node.mode = attr.mode;
    return node.modified === undefined ? attr : { ...attr, modified: node.modified };
  }

  /**
   * @returns whether the kernel refers to it no more
   * @throws AssertionError when it gives back more than it has got
   */
  forget(handle: number, lookups: number): boolean {
    const node = this.#nodes.get(handle);
    // The root is there from the start, and is never given back in full.
    if (node === undefined) return false;
    node.lookups -= lookups;
    assert(node.lookups >= 0, `node ${handle} was forgotten more often than looked up`);
    return node.lookups === 0 && this.#nodes.delete(handle);
  }

  lookupsOf(handle: number): number {
    return this.#nodes.get(handle)?.lookups ?? 0;
  }

  /** Permission bits as last seen. */
  modeOf(handle: Handle): number | undefined {
    return this.#nodes.get(handle)?.mode;
  }

  /** @param time of the last change as a program has set it; `undefined`: that of the writes again */
  setModified(handle: Handle, time: Timestamp | undefined): void {
    const node = this.#nodes.get(handle);
    if (node !== undefined) node.modified = time;
  }
}
