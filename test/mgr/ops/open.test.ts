import test from 'ava';
import { limits } from '../../../shared/limits.ts';
import { openFlags } from '../../../shared/wire/mgr-ops.ts';
import type { ChangeCall } from '../../../mgr/exactly-once.ts';
import type { FileScope } from '../../../mgr/ops/file-scope.ts';
import { open } from '../../../mgr/ops/open.ts';
import { OpenTable } from '../../../mgr/open-table.ts';
import { anyLayout, at, fails, NameSpace } from '../name-space.ts';

/** A table in which every session has as many files open as it may. */
class FullTable extends OpenTable {
  override countOf(): number {
    return limits.openFilesPerSessionMax;
  }
}

function request(path: string) {
  return {
    at: at(path),
    flags: openFlags.read,
    mode: 0,
    layout: anyLayout,
    maker: undefined,
    handle: undefined,
    near: undefined,
  };
}

test('a session with too many files open gets EMFILE, but may open those again', (t) => {
  const space = new NameSpace();
  const { handle } = space.file('/held');
  space.file('/other');
  space.commit();
  const openTable = new FullTable(space.view);
  const scope = {
    openTable,
    sizes: { mustAsk: () => false },
    small: { roomOf: () => 0 },
    secret: Buffer.alloc(32),
    generation: 1,
  } as unknown as FileScope;
  const call = space.context() as ChangeCall<never>;
  const inode = space.view.inode(handle);
  if (inode === undefined) throw new Error('no inode');
  openTable.open(inode, call.who.session, 1, 7);
  fails(t, 'EMFILE', () => open(scope, call, request('/other')));
  t.notThrows(() => open(scope, call, request('/held')));
  t.is(openTable.find(handle, call.who.session)?.readers, 2);
});
