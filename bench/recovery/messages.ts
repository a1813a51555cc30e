/** What the processes of this benchmark are asked, and what they answer. */

export type Request =
  /** Makes sessions, and keeps them. */
  | { readonly kind: 'hold'; readonly url: string; readonly sessions: number }
  /** Opens files of its own in each of them, and keeps them open. */
  | { readonly kind: 'open'; readonly filesEach: number }
  /** Reads and writes without a pause, on a file of each iod. */
  | { readonly kind: 'pulse'; readonly url: string; readonly iods: number }
  /** What the pulse did since it was asked last. */
  | { readonly kind: 'beats' };

/** One call after another by one reader or writer, on one iod. */
export interface Beats {
  readonly iod: number;
  readonly direction: 'read' | 'write';
  readonly calls: number;
  /** The longest time without an answer. */
  readonly longestMs: number;
  /** When it ended, milliseconds of the epoch. */
  readonly longestEnded: number;
}

export interface Reply {
  readonly beats: readonly Beats[];
}
