/** The same work by the library of weftfs, without the kernel. */
import type { Worker } from '../processes.ts';
import type { NameCall } from '../tasks.ts';
import type { Sizes, WorkSet } from './system.ts';

const callBytes = 1024 * 1024;

export function libraryStream(client: Worker, { streamBytes, randomMs }: Sizes): WorkSet {
  const path = '/library-stream';
  const stream = (direction: 'write' | 'read') => async () =>
    client.perform({
      kind: 'stream',
      path,
      direction,
      bytes: streamBytes,
      callBytes,
      way: 'calls',
    });
  const random = async () =>
    client.perform({
      kind: 'random',
      path,
      direction: 'read',
      fileBytes: streamBytes,
      depth: 1,
      ms: randomMs,
    });
  return {
    works: [
      ['write', stream('write')],
      ['read', stream('read')],
      ['random read', random],
    ],
    tidy: async () => {
      await client.perform({ kind: 'remove', path });
    },
  };
}

/** @param depth how many are on their way at once */
export function libraryFiles(client: Worker, { files: count }: Sizes, depth: number): WorkSet {
  const directory = '/library-files';
  const names = (call: NameCall) => async () =>
    client.perform({ kind: 'names', call, directory, depth, count, rounds: 1 });
  return {
    works: [
      [
        'create',
        async () => {
          await client.perform({ kind: 'tree', directory, files: 0 });
          return names('writeFile of 4 KiB')();
        },
      ],
      ['stat', names('stat')],
      ['unlink', names('unlink')],
    ],
    tidy: async () => undefined,
  };
}
