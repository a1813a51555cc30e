/**
 * Compares the files that the mgr knows with the objects that the iods have, both in the order of
 * their handles, in memory of one page each. Asks nobody: what it finds may be in flux, and is
 * asked for again by its caller.
 */
import { type Layout, localLength } from '../../../shared/stripe.ts';
import type { Handle, IodIndex } from '../../../shared/units.ts';
import type { BytesPlace } from '../../../shared/wire/values.ts';

export interface FileRow {
  readonly handle: Handle;
  readonly layout: Layout;
  readonly size: number;
  /** Sessions that have it open: its size is about to change. */
  readonly opens: number;
  readonly place: BytesPlace;
}

export interface ObjectRow {
  readonly handle: Handle;
  readonly length: number;
  readonly allocated: number;
}

export interface Suspect {
  /**
   * `orphan`: no file has this handle. `misplaced`: the file has no column on that iod.
   * `too long`: more bytes than the size of the file accounts for. `needless`: the mgr has the bytes.
   */
  readonly kind: 'orphan' | 'misplaced' | 'too long' | 'needless';
  readonly iod: IodIndex;
  readonly object: ObjectRow;
  readonly file: FileRow | undefined;
}

/** Column of a file that an iod holds; `undefined` for none. */
export function columnOn({ base, pcount, total }: Layout, iod: IodIndex): number | undefined {
  const column = (iod - base + total) % total;
  return iod < total && column < pcount ? column : undefined;
}

/** @returns what is wrong with an object beside its file, if anything */
export function judge(
  iod: IodIndex,
  object: ObjectRow,
  file: FileRow | undefined,
): Suspect | undefined {
  if (file === undefined) return { kind: 'orphan', iod, object, file };
  const column = columnOn(file.layout, iod);
  if (column === undefined) return { kind: 'misplaced', iod, object, file };
  if (file.place === 'mgr') return { kind: 'needless', iod, object, file };
  // What a move has left behind is removed with the file, or made what it must be by the next move.
  if (file.place === 'moving') return undefined;
  const tooLong = object.length > localLength(file.layout, column, file.size);
  return tooLong && file.opens === 0 ? { kind: 'too long', iod, object, file } : undefined;
}

/** All lists ascend by handle. */
export async function* audit(
  files: AsyncIterable<FileRow>,
  objects: ReadonlyMap<IodIndex, AsyncIterable<ObjectRow>>,
): AsyncGenerator<Suspect> {
  const cursors = await Promise.all([...objects].map(([iod, rows]) => Cursor.open(iod, rows)));
  for await (const file of files) {
    for (const cursor of cursors) {
      yield* cursor.before(file.handle);
      if (cursor.head?.handle !== file.handle) continue;
      const suspect = judge(cursor.iod, cursor.head, file);
      if (suspect !== undefined) yield suspect;
      await cursor.advance();
    }
  }
  for (const cursor of cursors) yield* cursor.before(Infinity);
}

/** A place in the list of one iod. */
class Cursor {
  readonly iod: IodIndex;
  head: ObjectRow | undefined;
  readonly #rows: AsyncIterator<ObjectRow>;

  private constructor(iod: IodIndex, rows: AsyncIterable<ObjectRow>) {
    this.iod = iod;
    this.#rows = rows[Symbol.asyncIterator]();
  }

  static async open(iod: IodIndex, rows: AsyncIterable<ObjectRow>): Promise<Cursor> {
    const cursor = new Cursor(iod, rows);
    await cursor.advance();
    return cursor;
  }

  async advance(): Promise<void> {
    const next = await this.#rows.next();
    this.head = next.done === true ? undefined : next.value;
  }

  /** Objects below the next file belong to none. */
  async *before(handle: number): AsyncGenerator<Suspect> {
    while (this.head !== undefined && this.head.handle < handle) {
      const suspect = judge(this.iod, this.head, undefined);
      if (suspect !== undefined) yield suspect;
      await this.advance();
    }
  }
}
