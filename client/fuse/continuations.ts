/**
 * With attributes that may not be cached, the kernel looks a name up and asks for the attributes
 * of what it found right away, in the same system call. The answer to the first question answers
 * the second one too: only to the same thread, only as its very next request, only at once.
 */
import { limits } from '../../shared/limits.ts';
import type { FileAttr, RequestHeader } from './protocol.ts';

interface Known {
  readonly node: number;
  readonly attr: FileAttr;
  /** When the thread was told, milliseconds. */
  readonly at: number;
}

export class Continuations {
  readonly #known = new Map<number, Known>();

  /** The thread is being told of a node. */
  told({ pid: thread }: RequestHeader, { node, attr }: Omit<Known, 'at'>, now: number): void {
    // The kernel has no number for threads of other containers.
    if (thread === 0) return;
    if (this.#known.size >= limits.fuseInFlightMax) this.#known.clear();
    this.#known.set(thread, { node, attr, at: now });
  }

  /** Every request goes through here. @returns what its thread has just been told of the node */
  next({ pid: thread, node }: RequestHeader, now: number): FileAttr | undefined {
    const known = this.#known.get(thread);
    if (known === undefined) return undefined;
    this.#known.delete(thread);
    const isAtOnce = now - known.at <= limits.fuseContinuationMs;
    return isAtOnce && known.node === node ? known.attr : undefined;
  }
}
