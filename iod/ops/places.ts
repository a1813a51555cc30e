/** Where the bytes of an object are: its file, for clients of this host, and where in it there are holes. */
import type { BufferPool } from '../../shared/buffer-pool.ts';
import { limits } from '../../shared/limits.ts';
import type { Handlers } from '../../shared/rpc/service.ts';
import type { dataOps } from '../../shared/wire/iod-ops.ts';
import type { Access } from '../access.ts';
import { searchObject } from '../hole-search.ts';
import type { ReadBudget } from '../read-budget.ts';
import type { ReadSharing } from '../read-sharing.ts';
import type { ObjectStore } from '../storage/object-store.ts';

export interface PlaceParts {
  readonly access: Access;
  readonly store: ObjectStore;
  readonly buffers: BufferPool;
  readonly budget: ReadBudget;
  readonly sharing: ReadSharing;
}

/** See `Channel.peerHost`. */
const localHost = 'local';

type PlaceHandlers = Pick<Handlers<typeof dataOps>, 'shareReads' | 'seek'>;

export function placeHandlers({ access, store, buffers, budget, sharing }: PlaceParts) {
  return {
    async shareReads({ handle, reads, readBytes }, { peer, connection }) {
      access.use(handle, peer, 'read');
      store.noteReads(handle, reads, readBytes);
      connection.load.answered += reads;
      connection.load.readBytes += readBytes;
      if (connection.peerHost !== localHost) return { shared: undefined };
      const file = await store.fileOf(handle);
      // The session may have ended meanwhile.
      access.use(handle, peer, 'read');
      const given = file && peer.session && sharing.give(peer.session);
      return { shared: file && given && { ...file, ...given } };
    },

    async seek({ handle, offset, wanted }, { peer, connection }) {
      access.use(handle, peer, 'read');
      budget.take(connection, limits.transferBytes);
      const buffer = buffers.take(limits.transferBytes);
      try {
        return await searchObject(store, { handle, offset, wanted }, buffer);
      } finally {
        buffers.give(buffer);
        budget.give(connection, limits.transferBytes);
      }
    },
  } satisfies PlaceHandlers;
}
