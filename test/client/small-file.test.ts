import test from 'ava';
import { type AskMgr, SmallFile } from '../../client/small-file.ts';
import { FsError } from '../../shared/errno.ts';
import type { Handle } from '../../shared/units.ts';
import { fileOps } from '../../shared/wire/mgr-ops.ts';
import { rights } from '../../shared/wire/values.ts';
import { settlement } from './settlement.ts';

const handle = 7 as Handle;
const room = 100;
const request = { ...settlement, handle, rights: rights.write };
const deadline = { deadline: 1000 };

function stage(answer: () => object) {
  const asked: { code: number; request: unknown; goesOn: boolean | undefined }[] = [];
  const ask = ((op, sent, { goesOn }) => {
    asked.push({ code: op.code, request: sent, goesOn });
    return Promise.resolve().then(answer);
  }) as AskMgr;
  return { file: new SmallFile(handle, room, ask), asked };
}

const nothing = () => Promise.resolve();

test('what was done to a lent file is told as it is, goes on whatever happens, and is to be synced', async (t) => {
  const { file, asked } = stage(() => ({ attr: {} }));
  t.false(file.isUnsynced);
  await file.settle(request, true, deadline);
  t.deepEqual(asked, [{ code: fileOps.settle.code, request, goesOn: true }]);
  // Of a close the cap is known by its request.
  t.is(asked[0]?.request, request);
  t.true(file.isUnsynced);
  await file.sync(nothing);
  t.false(file.isUnsynced);
  t.notThrows(() => file.requireKept());
});

test('a settle that was refused is told to its caller, and by the next sync, once', async (t) => {
  const { file } = stage(() => ({ attr: undefined }));
  const lost = { code: 'EIO', message: /has changed the new file/ };
  await t.throwsAsync(file.settle(request, true, deadline), lost);
  t.false(file.isUnsynced, 'nothing was written');
  const error = t.throws(() => file.requireKept(), { code: 'EIO' });
  t.like(error, { weftCode: 'WEFT_E_DATA_LOST' });
  t.notThrows(() => file.requireKept());
});

test('of a file to which nothing was done nothing is lost', async (t) => {
  const { file } = stage(() => ({ attr: undefined }));
  await t.throwsAsync(file.settle(request, false, deadline), { code: 'EIO' });
  t.notThrows(() => file.requireKept());
  const { file: kept } = stage(() => ({ attr: {} }));
  await kept.settle(request, false, deadline);
  t.false(kept.isUnsynced);
});

test('a settle that failed is told as a loss too, with why', async (t) => {
  const failure = new FsError('EFBIG', { what: 'it is too long' });
  const { file } = stage(() => {
    throw failure;
  });
  await t.throwsAsync(file.settle(request, true, deadline), { is: failure });
  const error = t.throws(() => file.requireKept(), { code: 'EIO' });
  t.like(error, { weftCode: 'WEFT_E_DATA_LOST', what: 'it is too long', cause: failure });
  t.notThrows(() => file.requireKept());
});

test('what was settled and not synced may be gone with the host of the mgr', async (t) => {
  const { file } = stage(() => ({ attr: {} }));
  await file.settle(request, true, deadline);
  await file.sync(nothing);
  file.hostLost();
  t.notThrows(() => file.requireKept(), 'it was durable');
  await file.settle(request, true, deadline);
  file.hostLost();
  t.throws(() => file.requireKept(), { code: 'EIO' });
  t.false(file.isUnsynced);
});
