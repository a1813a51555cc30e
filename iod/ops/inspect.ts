/** What operators and fsck ask of an iod: its state, what it keeps, what it has set aside. */
import { FsError } from '../../shared/errno.ts';
import type { Peer } from '../../shared/rpc/connection.ts';
import type { Handlers } from '../../shared/rpc/service.ts';
import type { ReplyOf } from '../../shared/wire/op.ts';
import type { dataOps } from '../../shared/wire/iod-ops.ts';
import type { ReadSharing } from '../read-sharing.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { Quarantine } from '../storage/quarantine.ts';

export type IodStatus = ReplyOf<(typeof dataOps)['iodStatus']>;

export interface InspectParts {
  readonly store: ObjectStore;
  readonly quarantine: Quarantine;
  readonly sharing: ReadSharing;
  readonly status: () => Promise<IodStatus>;
}

type InspectHandlers = Pick<
  Handlers<typeof dataOps>,
  'iodStatus' | 'listObjects' | 'listQuarantine' | 'resolveQuarantine' | 'setAside'
>;

export function inspectHandlers({ store, quarantine, sharing, status }: InspectParts) {
  return {
    iodStatus: () => status(),

    async listObjects({ after }, { peer }) {
      requireTrust(peer);
      const { objects, done } = await store.list(after);
      return {
        objects: objects.map(({ handle, lengthBytes, allocatedBytes }) => ({
          handle,
          length: lengthBytes,
          allocated: allocatedBytes,
        })),
        done,
      };
    },

    async listQuarantine({ after }, { peer }) {
      requireTrust(peer);
      const { entries, done } = await quarantine.list(after);
      return {
        entries: entries.map(({ lengthBytes, ...entry }) => ({ ...entry, length: lengthBytes })),
        done,
      };
    },

    async resolveQuarantine({ id, action }, { peer }) {
      requireTrust(peer);
      await (action === 'restore' ? quarantine.restore(id) : quarantine.discard(id));
      return {};
    },

    async setAside({ handle, reason }, { peer }) {
      requireTrust(peer);
      await sharing.during(() => store.setAside(handle, reason));
      return {};
    },
  } satisfies InspectHandlers;
}

function requireTrust({ trusted, node }: Peer): void {
  if (trusted) return;
  throw new FsError('EACCES', { what: `${node} has not proved the key of the cluster` });
}
