import test from 'ava';
import { Dirty } from '../../client/dirty.ts';
import { FileWrites, type FileWritesOptions } from '../../client/file-writes.ts';
import { planCopy } from '../../client/copy-plan.ts';
import { WrittenExtent } from '../../client/written-extent.ts';
import { type ErrorId } from '../../shared/error-catalogue.ts';
import { type Errno, FsError } from '../../shared/errno.ts';
import type { Handle } from '../../shared/units.ts';
import { noCap } from '../../shared/wire/values.ts';
import { failure } from '../shared/rpc/pair.ts';

const layout = { base: 0, pcount: 2, ssize: 4096, total: 2 };
const place = { layout, position: 0 };

/** A file of which the first iod copies its part, and the second one fails. */
function stage(code: Errno, id?: ErrorId) {
  const extent = new WrittenExtent(0);
  const runtime = { clock: { wall: () => ({ seconds: 5, nanoseconds: 0 }) }, killPoint: () => {} };
  const ask = (iod: number) =>
    iod === 0 ? Promise.resolve({ verifier: 1 }) : Promise.reject(new FsError(code, { id }));
  const dirty = new Dirty(layout);
  const options = { handle: 1 as Handle, runtime, dirty, extent, ask };
  const writes = new FileWrites(options as unknown as FileWritesOptions);
  const parts = planCopy(place, place, 8192) ?? [];
  return { extent, dirty, copy: () => writes.copy(parts, 0, noCap, { deadline: Infinity }) };
}

test('what an iod does not know is to be copied in another way, and what is there counts', async (t) => {
  for (const id of ['WEFT_E_CAP_STALE', 'WEFT_E_CAP_REFUSED'] as const) {
    const { copy, extent, dirty } = stage('ESTALE', id);
    t.false(await copy());
    t.like(extent.untold, { size: 4096, mayHaveHoles: true });
    t.deepEqual(
      dirty.take().map(({ column }) => column),
      [0],
    );
  }
});

test('any other failure is told, with how far it has come', async (t) => {
  const { copy, extent } = stage('ENOSPC');
  t.like(await failure(copy()), { code: 'ENOSPC', bytesDone: 4096 });
  t.true(extent.isUncertain);
});
