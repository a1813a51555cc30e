/** How an open file tells the mgr what was done to it while it was lent. */
import test from 'ava';
import { File } from '../../client/file.ts';
import type { FileSource } from '../../client/open-grant.ts';
import type { Handle, SessionId } from '../../shared/units.ts';
import { fileOps } from '../../shared/wire/mgr-ops.ts';
import { type Cap, rights } from '../../shared/wire/values.ts';
import { settlement } from './settlement.ts';

const handle = 7 as Handle;
const both = rights.read | rights.write;
const body = { session: 2 as SessionId, handle, rights: both, generation: 1, sequence: 1 };
const cap: Cap = { body, signature: Buffer.alloc(32) };
const settle = { what: settlement, isChanged: true, done: () => undefined };

/** @param attr of the answers of the mgr */
function stage(attr: object | undefined) {
  const calls: { readonly op: { readonly code: number }; readonly request: object }[] = [];
  const caps = new Map<object, Cap>();
  const session = {
    runtime: { clock: { now: () => 0 }, killPoint: () => undefined },
    givesBack: (request: object, given: Cap) => void caps.set(request, given),
    call: (op: { readonly code: number }, request: object) => {
      calls.push({ op, request });
      return Promise.resolve({ attr });
    },
  };
  const source = { session, deadlineMs: 1000 } as unknown as FileSource;
  const grant = { cap, rights: both, append: false, durable: false, path: '/f', handle };
  const layout = { base: 0, pcount: 1, ssize: 4096, total: 1 };
  const file = new File(source, { ...grant, layout, roomAtMgr: 100, kind: 'file' });
  const state = { isClosed: false };
  file.onClosed(() => (state.isClosed = true));
  return { file, calls, caps, state };
}

test('a close with what was done is one message, which is known by its cap until it is done', async (t) => {
  const { file, calls, caps, state } = stage({});
  t.like(file.held, { rights: both });
  const closing = file.close({ settle });
  t.is(file.held, undefined, 'it is declared by its message from now on');
  await closing;
  t.is(calls.length, 1);
  const [{ op, request } = { op: undefined, request: {} }] = calls;
  t.is(op?.code, fileOps.settle.code);
  t.deepEqual(request, { ...settle.what, handle, rights: both });
  t.is(caps.get(request), cap);
  t.true(state.isClosed);
  await file.close();
  t.is(calls.length, 1);
});

test('to tell what was done without a close leaves the file open, and gives nothing back', async (t) => {
  const { file, calls, caps, state } = stage({});
  await file.settle(settle);
  t.deepEqual(calls[0]?.request, { ...settle.what, handle, rights: 0 });
  t.is(caps.size, 0);
  t.like(file.held, { rights: both });
  t.false(state.isClosed);
  await file.sync();
  t.is(calls[1]?.op.code, fileOps.flush.code, 'an fsync waits for the disk of the mgr');
});

test('a close whose settle is refused says so, and has closed the file', async (t) => {
  const { file, state } = stage(undefined);
  const lost = { code: 'EIO', message: /has changed the new file/ };
  await t.throwsAsync(file.close({ settle }), lost);
  t.true(state.isClosed);
  t.is(file.held, undefined);
});

test('a settle that is refused is told by the next fsync, once', async (t) => {
  const { file } = stage(undefined);
  await t.throwsAsync(file.settle(settle), { code: 'EIO' });
  await t.throwsAsync(file.sync(), { code: 'EIO', message: /has changed the new file/ });
  await t.notThrowsAsync(file.sync());
});
