/** The disk of this host as `cp` sees it. */
import { type BigIntStats, constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import type { Timestamp } from '../../../shared/units.ts';
import type { InodeKind } from '../../../shared/wire/values.ts';
import { shownName } from '../../observing/shown-text.ts';
import type { Node, Tree } from './tree.ts';

export const localTree: Tree = {
  kind: 'local',
  show: shownName,
  stat: async (path) => nodeOf(await fs.stat(path, { bigint: true })),
  lstat: async (path) => nodeOf(await fs.lstat(path, { bigint: true })),

  async *list(path) {
    const directory = await fs.opendir(path, { encoding: 'buffer' as 'utf8', bufferSize: 256 });
    // With that encoding the names are bytes, which the types of Node do not know.
    for await (const { name } of directory) {
      yield { name: name as unknown as Buffer, node: undefined };
    }
  },

  async open(path) {
    const file = await fs.open(path, 'r');
    return {
      async read(into, position) {
        let count = 0;
        while (count < into.length) {
          const rest = into.length - count;
          const { bytesRead } = await file.read(into, count, rest, position + count);
          if (bytesRead === 0) break;
          count += bytesRead;
        }
        return count;
      },
      close: () => file.close(),
    };
  },

  async create(path, { mode }) {
    const file = await fs.open(path, 'w', mode);
    return {
      async write(from, position) {
        let count = 0;
        while (count < from.length) {
          const rest = from.length - count;
          count += (await file.write(from, count, rest, position + count)).bytesWritten;
        }
      },
      async close(sync) {
        try {
          if (sync) await file.sync();
        } finally {
          await file.close();
        }
      },
    };
  },

  async makeDirectory(path, mode) {
    await fs.mkdir(path, mode);
  },
  readLink: (path) => fs.readlink(path, { encoding: 'buffer' }),
  makeLink: (target, path) => fs.symlink(target, path),
  unlink: (path) => fs.unlink(path),
  owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
  async keep(path, { mode, owner, accessed, modified }) {
    // A new owner takes suid and sgid away, so the mode comes after it.
    if (owner !== undefined) await fs.lchown(path, owner.uid, owner.gid);
    if (mode !== undefined) await fs.chmod(path, mode);
    await fs.lutimes(path, secondsOf(accessed), secondsOf(modified));
  },
};

function nodeOf(stats: BigIntStats): Node {
  return {
    id: `${stats.dev}:${stats.ino}`,
    kind: kindOf(stats),
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    links: Number(stats.nlink),
    size: Number(stats.size),
    accessed: timestampOf(stats.atimeNs),
    modified: timestampOf(stats.mtimeNs),
  };
}

const kinds: Readonly<Record<number, InodeKind>> = {
  [constants.S_IFREG]: 'file',
  [constants.S_IFDIR]: 'directory',
  [constants.S_IFLNK]: 'symlink',
  [constants.S_IFIFO]: 'fifo',
  [constants.S_IFSOCK]: 'socket',
  [constants.S_IFCHR]: 'character',
  [constants.S_IFBLK]: 'block',
};

function kindOf(stats: BigIntStats): InodeKind {
  return kinds[Number(stats.mode) & constants.S_IFMT] ?? 'file';
}

const billion = 1_000_000_000n;

function timestampOf(nanoseconds: bigint): Timestamp {
  const rest = ((nanoseconds % billion) + billion) % billion;
  return { seconds: Number((nanoseconds - rest) / billion), nanoseconds: Number(rest) };
}

/** Node cuts to whole microseconds: half of one more, and the fraction's rounding does no harm. */
function secondsOf({ seconds, nanoseconds }: Timestamp): number {
  return seconds + (Math.floor(nanoseconds / 1000) + 0.5) / 1e6;
}
