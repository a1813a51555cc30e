/** Operations of `node:fs` that list directories. */
import { joined, optionsOf, type PathArgument, pathOf } from './arguments.ts';
import type { Options } from './checks.ts';
import { checkDirOptions, Dir } from './dir.ts';
import { Dirent } from './dirent.ts';
import { during } from './failures.ts';
import type { Operations } from './operation.ts';
import type { Volume } from './volume.ts';

export const directoryOperations = {
  opendir(volume, givenPath, givenOptions) {
    const path = pathOf(givenPath);
    const options = optionsOf(givenOptions);
    checkDirOptions(options);
    return Dir.open(volume, path, options);
  },

  readdir(volume, givenPath, givenOptions) {
    const options = { ...optionsOf(givenOptions) };
    const path = pathOf(givenPath);
    const listing = options['recursive']
      ? listAll(volume, path, options)
      : list(volume, path, options);
    if (options['withFileTypes']) return listing;
    return listing.then((entries) => entries.map((entry) => nameBelow(path, entry)));
  },
} satisfies Operations;

function list({ fs }: Volume, path: PathArgument, options: Options): Promise<Dirent[]> {
  return during({ syscall: 'scandir', path }, async () => {
    return (await fs.readdir(path)).map((entry) => new Dirent(entry, path, options));
  });
}

const listingsMax = 16;

/** A few directories at once. */
async function listAll(volume: Volume, path: PathArgument, options: Options): Promise<Dirent[]> {
  const found: Dirent[] = [];
  const waiting = [path];
  while (waiting.length > 0) {
    const paths = waiting.splice(-listingsMax);
    for (const entries of await Promise.all(paths.map((one) => list(volume, one, options)))) {
      for (const entry of entries) {
        found.push(entry);
        if (entry.isDirectory()) waiting.push(joined(entry.parentPath, entry.name));
      }
    }
  }
  return found;
}

/** The path of an entry from the directory that was asked for. */
function nameBelow(top: PathArgument, { parentPath, name }: Dirent): string | Buffer {
  if (parentPath === top) return name;
  const path = joined(parentPath, name);
  const from = joined(top, '').length;
  return typeof path === 'string' ? path.slice(from) : Buffer.from(path.subarray(from));
}
