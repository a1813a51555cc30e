/**
 * Random calls of `node:fs` in a small tree: the same everywhere for the same random numbers. What each
 * call answers, or its errno, is a line of text.
 */
import {
  chmodSync,
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  type Stats,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { SimRandom } from '../sim/runtime/random.ts';

/** One call, before it is known where it is made. */
export interface RandomCall {
  readonly kind: Kind;
  readonly path: string;
  readonly other: string;
  readonly mode: number;
  readonly content: string;
  readonly flag: string;
  readonly openFlag: string;
  readonly length: number;
  readonly seconds: number;
  /** Which of the open files. */
  readonly file: number;
}

const names = ['a', 'b', 'c', 'd'];

function pathOf(random: SimRandom): string {
  return Array.from({ length: 1 + random.below(3) }, () => random.pick(names)).join('/');
}

export function drawCall(random: SimRandom): RandomCall {
  return {
    kind: random.pick(kinds),
    path: pathOf(random),
    other: pathOf(random),
    mode: random.pick([0o755, 0o700, 0o644, 0o2775, 0o4711]),
    content: 'x'.repeat(random.below(random.chance(0.05) ? 40_000 : 600)),
    flag: random.pick(['w', 'a', 'wx']),
    openFlag: random.pick(['r', 'r', 'r', 'r+', 'w+', 'wx+', 'a+']),
    length: random.below(9000),
    seconds: 1_000_000_000 + random.below(100_000_000),
    file: random.below(8),
  };
}

/** Somewhere the calls are made, and what they have left open. */
export class Caller {
  readonly #open: number[] = [];

  /** @param root where the paths begin @returns what the call answers, or its errno */
  make(root: string, call: RandomCall): string {
    const at = join(root, call.path);
    const to = join(root, call.other);
    try {
      return JSON.stringify(makers[call.kind]({ ...call, at, to, open: this.#open }) ?? null);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error);
    }
  }

  close(): void {
    for (const file of this.#open.splice(0)) closeSync(file);
  }
}

interface Made extends RandomCall {
  readonly at: string;
  readonly to: string;
  readonly open: number[];
}

function factsOf(stats: Stats) {
  const { mode, nlink, uid, gid, size } = stats;
  return { mode, nlink, uid, gid, size: stats.isDirectory() ? 0 : size };
}

/** With one of the files that are open, if any is. */
function withFile(run: (file: number, made: Made) => unknown) {
  return (made: Made): unknown => {
    const file = made.open[made.file % made.open.length];
    return file === undefined ? 'none' : run(file, made);
  };
}

const makers = {
  mkdir: ({ at, mode }: Made) => mkdirSync(at, mode),
  rmdir: ({ at }: Made) => rmdirSync(at),
  create: ({ at, content, flag }: Made) => writeFileSync(at, content, { flag }),
  unlink: ({ at }: Made) => unlinkSync(at),
  rename: ({ at, to }: Made) => renameSync(at, to),
  link: ({ at, to }: Made) => linkSync(at, to),
  symlink: ({ at, other }: Made) => symlinkSync(other, at),
  readlink: ({ at }: Made) => readlinkSync(at),
  chmod: ({ at, mode }: Made) => chmodSync(at, mode),
  utimes: ({ at, seconds }: Made) => {
    utimesSync(at, seconds, seconds);
    return statSync(at).mtimeMs;
  },
  readdir: ({ at }: Made) => readdirSync(at).toSorted(),
  stat: ({ at }: Made) => factsOf(statSync(at)),
  lstat: ({ at }: Made) => factsOf(lstatSync(at)),
  read: ({ at }: Made) => readFileSync(at, 'latin1'),
  truncate: ({ at, length }: Made) => truncateSync(at, length),
  open: ({ at, openFlag, open }: Made) => open.push(openSync(at, openFlag)),
  fileWrite: withFile((file, { content, length }) => writeSync(file, content, length)),
  fileRead: withFile((file, { length }) => {
    const bytes = Buffer.alloc(200);
    return bytes.toString('latin1', 0, readSync(file, bytes, 0, 200, length));
  }),
  fileReadAll: withFile((file) => {
    const bytes = Buffer.alloc(50_000);
    return bytes.toString('latin1', 0, readSync(file, bytes, 0, bytes.length, 0));
  }),
  // Also what has no name any more.
  fileReopen: withFile((file, { open }) => open.push(openSync(`/proc/self/fd/${file}`, 'r'))),
  fileStat: withFile((file) => factsOf(fstatSync(file))),
  fileSync: withFile((file) => fsyncSync(file)),
  fileChmod: withFile((file, { mode }) => fchmodSync(file, mode)),
  fileClose: withFile((file, { open }) => {
    open.splice(open.indexOf(file), 1);
    closeSync(file);
  }),
  directorySync: ({ at }: Made) => {
    const directory = openSync(at, 'r');
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  },
} satisfies Record<string, (made: Made) => unknown>;

type Kind = keyof typeof makers;

/** How often each is drawn follows from how often it stands here. */
const often: readonly Kind[] = ['mkdir', 'mkdir', 'create', 'create', 'create', 'create', 'unlink'];
const kinds: readonly Kind[] = [
  ...(Object.keys(makers) as Kind[]),
  ...often,
  'rename',
  'rename',
  'stat',
  'read',
  'open',
  'fileWrite',
  'fileReadAll',
  'fileReadAll',
  'fileClose',
  'fileClose',
];
