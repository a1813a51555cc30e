/** What a user of a file system is asked to do, one blocking call after another. */

export type UserTask =
  | {
      readonly kind: 'stream';
      readonly path: string;
      readonly direction: 'write' | 'overwrite' | 'read';
      readonly bytes: number;
    }
  | {
      /** Blocks of 4 KiB of a file, none twice before all were read. */
      readonly kind: 'random';
      readonly path: string;
      readonly bytes: number;
      readonly ms: number;
    }
  | {
      readonly kind: 'files';
      readonly call: FileCall;
      readonly directory: string;
      /** Names of the files: from 0 to `count` - 1. */
      readonly count: number;
    };

export type FileCall =
  | 'create, write 4 KiB, close'
  | 'open, read 4 KiB, close'
  | 'stat'
  | 'fstat'
  | 'unlink';
