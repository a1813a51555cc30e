/** What the mgr has an iod do, over the connection that the iod has made. */
import { FsError, ProtocolError } from '../../shared/errno.ts';
import type { RecoveryLog } from '../../shared/recovery-log.ts';
import type { Handlers } from '../../shared/rpc/service.ts';
import { pageOfWaits, type Waiting } from '../../shared/rpc/waits.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import type { SessionId } from '../../shared/units.ts';
import type { controlOps } from '../../shared/wire/iod-ops.ts';
import type { LoadPage } from '../../shared/wire/values.ts';
import type { Access } from '../access.ts';
import type { Lateness } from '../lateness.ts';
import type { OpenTable } from '../open-table.ts';
import type { ReadSharing } from '../read-sharing.ts';
import type { ObjectStore } from '../storage/object-store.ts';

export interface ControlParts {
  readonly runtime: Pick<Runtime, 'killPoint'>;
  readonly table: OpenTable;
  readonly access: Access;
  readonly store: ObjectStore;
  readonly reports: RecoveryLog;
  readonly sharing: ReadSharing;
  /** What clients and files have cost. */
  readonly loads: () => LoadPage;
  /** What waits in this iod. */
  readonly waits: () => Iterable<Waiting>;
  readonly closeConnections: (session: SessionId, reason: FsError) => void;
  /** For a drill. */
  readonly lateness: Lateness;
}

export function controlHandlers(parts: ControlParts): Handlers<typeof controlOps> {
  const { runtime, table, access, store, reports, sharing } = parts;
  const { loads, waits, closeConnections, lateness } = parts;
  const { killPoint } = runtime;
  return {
    applyOpens(changes) {
      if (table.apply(changes)) return { upTo: changes.upTo };
      // Closes the connection; the next one begins with a sync.
      throw new ProtocolError(`changes of the open table before ${changes.after} are missing`);
    },

    async fence({ session }) {
      access.fence(session);
      const what = `session ${session} was ended by the mgr`;
      closeConnections(session, new FsError('ESTALE', { id: 'WEFT_E_SESSION_LOST', what }));
      await sharing.endOf(session);
      // Writes of its that have reached the disk's queue must not come after those of others.
      await store.settled();
      return {};
    },

    async stat({ handles }) {
      const objects = await Promise.all(
        handles.map(async (handle) => {
          const stat = await store.stat(handle);
          const { lengthBytes: length = 0, allocatedBytes: allocated = 0, modified } = stat ?? {};
          return { handle, length, allocated, modified, exists: stat !== undefined };
        }),
      );
      return { objects };
    },

    async truncate({ handle, length }) {
      killPoint('iod.truncate.before-disk');
      await store.truncate(handle, length);
      killPoint('iod.truncate.after-disk');
      return {};
    },

    async place({ handle, bytes }) {
      killPoint('iod.place.before-disk');
      await store.place(handle, bytes);
      killPoint('iod.place.after-disk');
      return {};
    },

    async remove({ handles }) {
      killPoint('iod.remove.before-disk');
      await store.remove(handles);
      killPoint('iod.remove.after-disk');
      return {};
    },

    ownRecoveries: ({ before }) => reports.page(before),

    ownLoads: () => loads(),

    ownWaits: ({ handle }) => pageOfWaits(waits(), handle),

    answerLate({ delayMs, seconds }) {
      lateness.begin(delayMs, seconds);
      return {};
    },
  };
}
