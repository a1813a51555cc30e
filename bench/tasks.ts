/** What the processes of a benchmark are asked to do, and what they say when it is done. */

/** How the bytes are moved: one awaited call after another, some at once, or by a stream. */
export type StreamingWay = 'calls' | '4 calls at once' | 'stream';
/** A file that is written anew takes blocks from the disk; one that is overwritten has them. */
export type StreamingDirection = 'write' | 'overwrite' | 'read';
export type NameCall =
  | 'create'
  | 'writeFile of 4 KiB'
  | 'readFile of 4 KiB'
  | 'open + close'
  | 'stat'
  | 'readdir'
  | 'unlink';

export type Task =
  | {
      readonly kind: 'connect';
      readonly url: string;
      readonly tcp: boolean;
      readonly writeBehind?: boolean;
    }
  | {
      readonly kind: 'stream';
      readonly path: string;
      readonly direction: StreamingDirection;
      readonly bytes: number;
      readonly callBytes: number;
      readonly way: StreamingWay;
    }
  | {
      readonly kind: 'random';
      readonly path: string;
      readonly direction: 'write' | 'read';
      readonly fileBytes: number;
      readonly depth: number;
      readonly ms: number;
    }
  | {
      readonly kind: 'names';
      readonly call: NameCall;
      readonly directory: string;
      readonly depth: number;
      /** Names of the files: from 0 to `count` - 1. */
      readonly count: number;
      /** How often each of them is called. */
      readonly rounds: number;
    }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'tree'; readonly directory: string; readonly files: number };

export interface Outcome {
  /** Calls or bytes. */
  readonly done: number;
  /** Wall time, milliseconds of the epoch, with fractions. */
  readonly begun: number;
  readonly ended: number;
  /** Processor time of the process for it, microseconds. */
  readonly cpuUs: number;
}
