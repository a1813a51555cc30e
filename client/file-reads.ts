/** How an open file is read: the parts of a range at once, from the iods or without them. */
import { toFsError } from '../shared/errno.ts';
import type { CallOptions } from '../shared/rpc/call.ts';
import type { SharedBytes } from '../shared/runtime/runtime.ts';
import { type Layout, localLength } from '../shared/stripe.ts';
import type { Handle, IodIndex } from '../shared/units.ts';
import { dataOps } from '../shared/wire/iod-ops.ts';
import type { ReplyOf, RequestOf } from '../shared/wire/op.ts';
import type { DirectFile } from './direct-reads.ts';
import { fillWithZeros, type IoPart } from './io-plan.ts';
import { shareRange, type SharedRange } from './shared-range.ts';

type Read = typeof dataOps.read;

export interface FileReadsOptions {
  readonly handle: Handle;
  readonly layout: Layout;
  /** Where nobody reads without the iods there is none. */
  readonly direct: DirectFile | undefined;
  readonly ask: (
    iod: IodIndex,
    op: Read,
    request: RequestOf<Read>,
    options: CallOptions,
  ) => Promise<ReplyOf<Read>>;
}

export class FileReads {
  readonly #options: FileReadsOptions;

  constructor(options: FileReadsOptions) {
    this.#options = options;
  }

  /** @returns bytes read of each part */
  async readParts(parts: readonly IoPart[], options: CallOptions): Promise<number[]> {
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return [await this.#readPart(only, options)];
    const results = await Promise.allSettled(parts.map((part) => this.#readPart(part, options)));
    // Not before all have ended: the caller may use its buffers again when this throws.
    return results.map((result) => {
      if (result.status === 'rejected') throw toFsError(result.reason);
      return result.value;
    });
  }

  /**
   * Some objects ended early: at the end of the file, or at a hole. The mgr knows which; and what
   * another client wrote before the mgr answered is there when the objects are read again.
   */
  async fillUpTo(
    size: number,
    parts: readonly IoPart[],
    done: readonly number[],
    options: CallOptions,
  ): Promise<void> {
    const short = parts.filter((part, i) => {
      const end = localLength(this.#options.layout, part.column, size);
      return (done[i] ?? 0) < Math.min(part.length, end - part.localOffset);
    });
    const again = await this.readParts(short, options);
    short.forEach((part, i) => {
      fillWithZeros(part.segments, again[i] ?? 0);
    });
  }

  /** As `shareRange`. */
  share(
    position: number,
    length: number,
    { deadline }: CallOptions,
  ): Promise<SharedRange | undefined> | undefined {
    const { direct, layout } = this.#options;
    return direct && shareRange({ direct, layout, position, length, deadline });
  }

  close(): void {
    this.#options.direct?.close();
  }

  async #readPart(part: IoPart, { deadline, signal }: CallOptions): Promise<number> {
    const { handle, direct, ask } = this.#options;
    const { iod, localOffset: offset, length, segments: into } = part;
    const shared = await direct?.read(part, deadline);
    if (shared !== undefined) return copied(shared, into);
    const request = { handle, offset, length };
    return (await ask(iod, dataOps.read, request, { deadline, signal, into })).length;
  }
}

/** Takes what was read. @returns how many */
function copied(read: SharedBytes, into: readonly Uint8Array[]): number {
  const { bytes } = read;
  let at = 0;
  for (const buffer of into) {
    if (at === bytes.length) break;
    const to = Math.min(bytes.length, at + buffer.length);
    buffer.set(bytes.subarray(at, to));
    at = to;
  }
  read.release();
  return bytes.length;
}
