/** The work in a directory, as programs do it that know nothing of what is behind it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { UserTask } from '../mount/user-tasks.ts';
import { sum, type Worker } from '../processes.ts';
import type { Outcome } from '../tasks.ts';
import type { SetName, Sizes, WorkSet } from './system.ts';

export interface DirectoryTools {
  /** Carries out what is done by calls. */
  readonly user: Worker<UserTask>;
  /** A tar file on the local disk, and what is in it. */
  readonly archive: string;
  readonly treeEntries: number;
}

/** @param isLocal the page cache is what is measured then; else it is emptied of the file first */
export function directoryWorks(
  directory: string,
  tools: DirectoryTools,
  sizes: Sizes,
  isLocal = false,
): Readonly<Record<SetName, WorkSet>> {
  return {
    stream: streamWorks(join(directory, 'stream'), tools.user, sizes, isLocal),
    files: filesWorks(join(directory, 'files'), tools.user, sizes.files),
    tree: treeWorks(join(directory, 'tree'), tools),
  };
}

function streamWorks(
  path: string,
  user: Worker<UserTask>,
  { streamBytes: bytes, randomMs: ms }: Sizes,
  isLocal: boolean,
): WorkSet {
  const copy = `${path}-copy`;
  const forget = (): void => {
    if (!isLocal) execFileSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none']);
  };
  return {
    works: [
      ['write', async () => user.perform({ kind: 'stream', path, direction: 'write', bytes })],
      [
        'read',
        async () => {
          forget();
          return user.perform({ kind: 'stream', path, direction: 'read', bytes });
        },
      ],
      [
        'random read',
        async () => {
          forget();
          return user.perform({ kind: 'random', path, bytes, ms });
        },
      ],
      [
        'copy',
        async () => {
          forget();
          return shell(bytes, `cp ${path} ${copy}`);
        },
      ],
    ],
    tidy: async () => {
      for (const one of [path, copy]) rmSync(one, { force: true });
    },
  };
}

function filesWorks(directory: string, user: Worker<UserTask>, count: number): WorkSet {
  const call = (call: Extract<UserTask, { kind: 'files' }>['call']) => async () =>
    user.perform({ kind: 'files', call, directory, count });
  return {
    works: [
      [
        'create',
        async () => {
          mkdirSync(directory);
          return call('create, write 4 KiB, close')();
        },
      ],
      ['stat', call('stat')],
      ['list', async () => shell(count, `ls -lR ${directory} > /dev/null`)],
      ['unlink', call('unlink')],
    ],
    tidy: async () => rmSync(directory, { recursive: true, force: true }),
  };
}

function treeWorks(directory: string, { archive, treeEntries: count }: DirectoryTools): WorkSet {
  return {
    works: [
      [
        'unpack',
        async () => {
          mkdirSync(directory);
          return shell(count, `tar -C ${directory} -xf ${archive}`);
        },
      ],
      ['find', async () => shell(count, `find ${directory} -size +1000k`)],
      ['remove', async () => shell(count, `rm -r ${directory}`)],
    ],
    tidy: async () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** What takes longer has failed. */
const patienceMs = 120_000;

/** @param count what is done by it, in calls */
function shell(count: number, script: string): Outcome {
  const cpuBefore = cpuUsOfChildren();
  const begun = performance.timeOrigin + performance.now();
  execFileSync('sh', ['-euc', script], { timeout: patienceMs });
  const ended = performance.timeOrigin + performance.now();
  return { done: count, begun, ended, cpuUs: cpuUsOfChildren() - cpuBefore };
}

const tickUs = 10_000; // of the times in /proc/PID/stat

/** Processor time of all processes that this one has started and seen the end of, microseconds. */
function cpuUsOfChildren(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').replace(/^.*\)/s, '').trim().split(' ');
  return sum(fields.slice(13, 15).map(Number)) * tickUs;
}
