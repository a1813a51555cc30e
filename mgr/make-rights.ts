/** The rights of clients and what is lent to them, each told of the other; and the view that asks for it. */
import type { Runtime } from '../shared/runtime/runtime.ts';
import type { Commits } from './cluster-port.ts';
import type { FileSizes } from './file-sizes.ts';
import { Lends } from './lends.ts';
import type { OpenTable } from './open-table.ts';
import { Rights } from './rights.ts';
import type { Sessions } from './sessions.ts';
import type { MetaView } from './store/batch.ts';
import { rightsKey } from './store/setting-keys.ts';

export interface MakeRightsOptions {
  readonly runtime: Pick<Runtime, 'clock' | 'log'>;
  readonly view: MetaView;
  readonly openTable: OpenTable;
  readonly sessions: Sessions;
}

/** @param later parts that are made later */
export function makeRights(
  { runtime, view, openTable, sessions }: MakeRightsOptions,
  later: () => { readonly sizes: FileSizes; readonly commits: Commits },
): { readonly rights: Rights; readonly lends: Lends } {
  const rights: Rights = new Rights({
    runtime,
    isWritten: (handle) => later().sizes.isWritten(handle),
    lends: () => lends,
    remember: (mayBeHeld) => {
      const row = { key: rightsKey, value: mayBeHeld ? 'yes' : 'no' };
      view.add({ kind: 'put-setting', row });
      later().commits.schedule();
    },
  });
  const lends = new Lends({
    rights,
    openTable,
    sessions,
    remember: (handle, session) => {
      view.add(
        session === undefined
          ? { kind: 'delete-lent', handle }
          : { kind: 'put-lent', row: { handle, session } },
      );
      later().commits.schedule();
    },
  });
  view.guardWith({
    isLentTo: (session, handle) => lends.isLentTo(session, handle),
    read: (handle) => {
      lends.requireHere(handle);
    },
    readAll: (handles) => {
      lends.requireAllHere(handles);
    },
    makers: () => {
      lends.requireNoDirectories();
    },
  });
  return { rights, lends };
}
