/** A range of a file, read ahead of its use: a few large pieces at once keep all iods busy. */
import { Fifo } from '../shared/fifo.ts';

export const pieceBytes = 1024 * 1024;
const piecesMax = 4;

export interface ReadAheadOptions {
  /** @returns how much there was: less than there is room for only at the end of the file */
  readonly read: (into: Buffer, at: number) => Promise<number>;
  /** First byte. */
  readonly from: number;
  /** Last byte; `Infinity` for all there are. */
  readonly to: number;
  /** Size of the first piece: each next one is twice as large, as long as that is a piece. */
  readonly firstBytes?: number;
}

export class ReadAhead {
  readonly #read: ReadAheadOptions['read'];
  readonly #to: number;
  readonly #coming = new Fifo<Promise<{ readonly piece: Buffer; readonly isLast: boolean }>>();
  #next: number;
  #size: number;
  /** Grows with each whole piece: little is asked for in vain beyond the end of a small file. */
  #aheadMax = 1;
  #ended = false;

  constructor({ read, from, to, firstBytes = pieceBytes }: ReadAheadOptions) {
    this.#read = read;
    this.#next = from;
    this.#to = to;
    this.#size = firstBytes;
  }

  /** One at a time. @returns `undefined` behind the last byte; no piece is empty */
  async next(): Promise<Buffer | undefined> {
    if (this.#ended) return undefined;
    this.#fill();
    const coming = this.#coming.shift();
    if (coming === undefined) return undefined;
    const { piece, isLast } = await coming;
    this.#aheadMax = Math.min(this.#aheadMax + 1, piecesMax);
    // Pieces behind the end are forgotten.
    this.#ended = isLast;
    return piece.length === 0 ? undefined : piece;
  }

  #fill(): void {
    while (this.#coming.size < this.#aheadMax && this.#next <= this.#to) {
      const length = Math.min(this.#size, this.#to - this.#next + 1);
      const piece = this.#readPiece(this.#next, length);
      // Pieces behind a failed one are never asked for.
      piece.catch(() => undefined);
      this.#coming.push(piece);
      this.#next += length;
      if (2 * this.#size <= pieceBytes) this.#size *= 2;
    }
  }

  async #readPiece(at: number, length: number): Promise<{ piece: Buffer; isLast: boolean }> {
    const piece = Buffer.allocUnsafeSlow(length);
    const count = await this.#read(piece, at);
    return { piece: piece.subarray(0, count), isLast: count < length };
  }
}
