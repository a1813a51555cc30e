/** What a process with many sessions is asked to do; its files are `file-N` in directories. */

export type ScalingTask =
  /** As many sessions as said, with those that it has. */
  | { readonly kind: 'connect'; readonly url: string; readonly sessions: number }
  | { readonly kind: 'directory' | 'list'; readonly directory: string }
  /** `open` makes them and keeps them open. */
  | ({ readonly kind: 'create' } & Files)
  | ({ readonly kind: 'open' } & Files)
  | ({ readonly kind: 'stat' } & Files);

export interface Files {
  readonly directory: string;
  readonly from: number;
  /** Behind the last. */
  readonly to: number;
  /** Only each so-and-so-manieth of them. */
  readonly step?: number;
  /** They are in directories `0`, `1` … below it, so many in each. */
  readonly perDirectory?: number;
}
