import test from 'ava';
import { HandleAccess } from '../../client/handle-access.ts';
import { placeIn } from '../../client/handle-place.ts';
import { byteString, type Handle } from '../../shared/units.ts';
import { FsError } from '../../shared/errno.ts';
import { openFlags } from '../../shared/wire/mgr-ops.ts';
import { failure } from '../shared/rpc/pair.ts';
import { Scripted } from './scripted.ts';

const root = 1 as Handle;

test('what a change may still do nobody uses any more, when its failure is told', async (t) => {
  const cluster = new Scripted({ iods: 1 });
  const fileSystem = await cluster.connect();
  // The scripted mgr gives no rights.
  fileSystem.session.cacheWith = () => undefined;
  const revoked: (readonly Handle[] | 'all')[] = [];
  const revoke = async (handles: readonly Handle[] | 'all'): Promise<void> => {
    await Promise.resolve();
    revoked.push(handles);
    if (revoked.length > 1) throw new Error('the kernel does not listen');
  };
  const access = await cluster.run(
    () => new HandleAccess({ fileSystem, deadlineMs: 60_000, revoke }),
  );
  const at = placeIn(root, byteString('a'));
  const flags = openFlags.write | openFlags.create;
  const open = (signal?: AbortSignal) =>
    cluster.run(() =>
      access.open({ at, flags, mode: 0o644, durable: false, maker: undefined }, { signal }),
    );
  cluster.script = ({ op }) => {
    if (op === 'open') throw new FsError('EACCES');
  };
  t.is((await failure(open())).code, 'EACCES');
  t.deepEqual(revoked, [], 'it will never be made');
  for (const times of [1, 2]) {
    const abort = new AbortController();
    cluster.script = ({ op }) => {
      if (op === 'open') abort.abort();
    };
    t.is((await failure(open(abort.signal))).code, 'ECANCELED');
    t.deepEqual(
      revoked,
      Array.from({ length: times }, () => [root]),
    );
  }
});
