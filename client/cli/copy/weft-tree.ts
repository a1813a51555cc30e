/** The file system as `cp` sees it. */
import { limits } from '../../../shared/limits.ts';
import type { FileSystem } from '../../file-system.ts';
import type { Stats } from '../../stats.ts';
import { shownName } from '../../observing/shown-text.ts';
import { SmallTarget } from './small-target.ts';
import type { Node, Source, Tree } from './tree.ts';

export function weftTree(fs: FileSystem): Tree {
  const { uid, gid } = fs.session.session;
  return {
    kind: 'weft',
    show: (path) => `weft:${shownName(path)}`,
    stat: async (path) => nodeOf(await fs.stat(path)),
    lstat: async (path) => nodeOf(await fs.lstat(path)),

    async *list(path) {
      for await (const { pathComponent, stats } of fs.opendir(path, { attributes: true })) {
        yield { name: pathComponent, node: stats && nodeOf(stats) };
      }
    },

    async open(path, sizeHint) {
      const isSmall = sizeHint <= limits.smallFileBytesDefault;
      const content = isSmall ? await fs.readSmallFile(path) : undefined;
      if (content !== undefined) return sourceOf(content);
      const file = await fs.open(path, 'r');
      return {
        read: (into, position) => file.read(into, position),
        close: () => file.close(),
        file,
      };
    },

    async create(path, { mode, layout, sizeHint, near }) {
      if (sizeHint <= limits.smallFileBytesDefault)
        return new SmallTarget(fs, path, { mode, layout });
      const file = await fs.open(path, 'w', { mode, layout, near });
      return {
        async write(from, position) {
          await file.write(from, position);
        },
        close: (sync) => file.close({ sync }),
        file,
      };
    },

    async makeDirectory(path, mode) {
      await fs.mkdir(path, { mode });
    },
    readLink: (path) => fs.readlinkBytes(path),
    makeLink: (target, path) => fs.symlink(target, path),
    unlink: (path) => fs.unlink(path),
    owner: { uid, gid },
    keep: (path, { mode, owner, accessed, modified }) =>
      fs.setAttributes(path, { mode, ...owner, accessed, modified, follow: false }),
  };
}

function sourceOf(content: Buffer): Source {
  return {
    read: (into, position) => {
      const part = content.subarray(position, position + into.length);
      into.set(part);
      return Promise.resolve(part.length);
    },
    close: () => Promise.resolve(),
  };
}

function nodeOf(stats: Stats): Node {
  return {
    id: String(stats.ino),
    kind: stats.kind,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    links: stats.nlink,
    size: stats.size,
    accessed: stats.accessed,
    modified: stats.modified,
  };
}
