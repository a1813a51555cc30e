/** A mount in a simulated client, as far as its operations need it. */
import { DirectoryStreams } from '../../client/fuse/directory-streams.ts';
import { IdleReaders } from '../../client/fuse/idle-readers.ts';
import { LikelyCopies } from '../../client/fuse/likely-copies.ts';
import { OpenFiles } from '../../client/fuse/open-files.ts';
import { SmallReads } from '../../client/fuse/small-reads.ts';
import { StreamReads } from '../../client/fuse/stream-reads.ts';
import type { Volume } from '../../client/fuse/volume.ts';
import type { HandleAccess } from '../../client/handle-access.ts';

export function volumeOf(
  access: HandleAccess,
  {
    files = new OpenFiles(),
    ...parts
  }: Pick<Volume, 'nodes' | 'kernel' | 'contents'> & { readonly files?: OpenFiles },
): Volume {
  return {
    access,
    ...parts,
    files,
    smallReads: new SmallReads({ access, files, ...parts }),
    streamReads: new StreamReads(access.session.runtime.clock),
    idleReaders: new IdleReaders(access.session.runtime.clock),
    copies: new LikelyCopies(),
    directories: new DirectoryStreams(),
    // Of a session that was lost.
    unheard: () => undefined,
  };
}
