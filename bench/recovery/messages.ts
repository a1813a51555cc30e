/** What the processes of this benchmark are asked, and what they answer. */

export type Request =
  /** Makes sessions, and keeps them. */
  | { readonly kind: 'hold'; readonly url: string; readonly sessions: number }
  /** Opens files of its own in each of them, and keeps them open. */
  | { readonly kind: 'open'; readonly filesEach: number }
  /** Opens the same files in all of them, and keeps them open. */
  | { readonly kind: 'share'; readonly files: number }
  /** Reads and writes on a file of each iod: a call so long after the end of the one before. */
  | {
      readonly kind: 'pulse';
      readonly url: string;
      readonly iods: number;
      readonly everyMs: number;
      readonly directions: readonly Direction[];
    }
  /** What the pulse did since it was asked last. */
  | { readonly kind: 'beats' };

export type Direction = 'read' | 'write';

/** One call after another by one reader or writer, on one iod. */
export interface Beats {
  readonly iod: number;
  readonly direction: Direction;
  readonly calls: number;
  /** The longest time without an answer. */
  readonly longestMs: number;
  /** When it ended, milliseconds of the epoch. */
  readonly longestEnded: number;
}

export interface Reply {
  readonly beats: readonly Beats[];
}
