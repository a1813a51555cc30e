/** What clients do with the bytes of files they have open: admit, read, write, sync. */
import type { BufferPool } from '../../shared/buffer-pool.ts';
import { byteLengthOf } from '../../shared/byte-length.ts';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { Bulk, type Handlers } from '../../shared/rpc/service.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import { caught, after } from '../../shared/soon.ts';
import type { dataOps } from '../../shared/wire/iod-ops.ts';
import type { Access } from '../access.ts';
import type { ReadBudget } from '../read-budget.ts';
import type { ObjectStore } from '../storage/object-store.ts';

export interface DataParts {
  readonly runtime: Pick<Runtime, 'killPoint'>;
  readonly access: Access;
  readonly store: ObjectStore;
  readonly buffers: BufferPool;
  readonly budget: ReadBudget;
  readonly verifier: () => number;
}

type DataHandlers = Pick<Handlers<typeof dataOps>, 'admit' | 'read' | 'write' | 'copy' | 'sync'>;

export function dataHandlers(parts: DataParts) {
  const { runtime, access, store, buffers, budget, verifier } = parts;
  const { killPoint } = runtime;
  return {
    admit({ cap }, { peer }) {
      access.admit(cap, peer);
      return {};
    },

    read({ handle, offset, length }, { peer, connection }) {
      access.use(handle, peer, 'read');
      budget.take(connection, length);
      const buffer = buffers.take(length);
      const release = (): void => {
        buffers.give(buffer);
        budget.give(connection, length);
      };
      const reply = (count: number) => {
        const bytes = count === length ? buffer : buffer.subarray(0, count);
        return new Bulk({ length: count }, [bytes], release);
      };
      return caught(
        () => after(store.read(handle, offset, [buffer]), reply),
        (error) => {
          release();
          throw error;
        },
      );
    },

    write({ handle, offset }, { peer, payload }) {
      access.use(handle, peer, 'write');
      if (byteLengthOf(payload) > limits.fileBytesMax - offset) throw new FsError('EFBIG');
      killPoint('iod.write.before-disk');
      return after(store.write(handle, offset, payload), () => {
        killPoint('iod.write.after-disk');
        return { verifier: verifier() };
      });
    },

    copy: copier(parts),

    async sync({ handle }, { peer }) {
      access.check(handle, peer);
      killPoint('iod.fsync.before-disk');
      await store.sync(handle);
      killPoint('iod.fsync.after-disk');
      return { verifier: verifier() };
    },
  } satisfies DataHandlers;
}

function copier(parts: DataParts): DataHandlers['copy'] {
  const { runtime, access, store, buffers, budget, verifier } = parts;
  return async ({ from, fromOffset, handle, offset, length }, { peer, connection }) => {
    access.admit(from, peer);
    const source = { handle: from.body.handle, offset: fromOffset };
    access.use(source.handle, peer, 'read');
    access.use(handle, peer, 'write');
    budget.take(connection, length);
    const buffer = buffers.take(length);
    try {
      runtime.killPoint('iod.write.before-disk');
      await store.copy(source, { handle, offset }, buffer);
      runtime.killPoint('iod.write.after-disk');
      return { verifier: verifier() };
    } finally {
      buffers.give(buffer);
      budget.give(connection, length);
    }
  };
}
