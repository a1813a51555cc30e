/** An open file that the mgr does not know yet. */
import test from 'ava';
import { File } from '../../client/file.ts';
import type { FileSource } from '../../client/open-grant.ts';
import { noLayout } from '../../shared/stripe.ts';
import { noCap } from '../../shared/wire/values.ts';
import { FsError } from '../../shared/errno.ts';
import type { Handle, SessionId } from '../../shared/units.ts';
import { fileOps } from '../../shared/wire/mgr-ops.ts';
import { type Cap, rights } from '../../shared/wire/values.ts';
import { isOver } from './passing-time.ts';

const handle = 7 as Handle;
const both = rights.read | rights.write;
const body = { session: 2 as SessionId, handle, rights: both, generation: 1, sequence: 1 };
const cap: Cap = { body, signature: Buffer.alloc(32, 1) };
const layout = { base: 0, pcount: 1, ssize: 4096, total: 1 };

function stage() {
  const asked: string[] = [];
  const session = {
    runtime: { clock: { now: () => 0 }, killPoint: () => undefined },
    givenUpCuts: { arePending: () => false },
    givesBack: () => undefined,
    call: ({ code }: { readonly code: number }) => {
      asked.push(code === fileOps.writeSmall.code ? 'write' : 'other');
      return Promise.resolve({ offset: 0 });
    },
  };
  const source = { session, deadlineMs: 1000 } as unknown as FileSource;
  const grant = { rights: both, append: false, durable: false, path: '/f', handle } as const;
  const bear = (): Promise<void> => {
    asked.push('bear');
    file.born({ cap, layout });
    return Promise.resolve();
  };
  const file: File = new File(source, {
    ...grant,
    kind: 'file',
    cap: noCap,
    layout: noLayout,
    roomAtMgr: 100,
    bear,
  });
  return { file, asked };
}

test('the mgr is told of it before anything is done with it there, once', async (t) => {
  const { file, asked } = stage();
  t.is(file.held, undefined, 'there is nothing that a mgr could have forgotten');
  await file.write(Buffer.from('abc'), 0);
  await file.write(Buffer.from('abc'), 0);
  t.deepEqual(asked, ['bear', 'write', 'write']);
  t.is(file.held?.cap, cap);
  t.deepEqual(file.layout, layout);
});

test('closed before the mgr knew of it, it is so when the mgr knows', async (t) => {
  const { file, asked } = stage();
  let isClosed = false;
  file.onClosed(() => (isClosed = true));
  const tell: (() => void)[] = [];
  file.closeUnborn(new Promise((resolve) => void tell.push(resolve)));
  t.false(await isOver(file.closing ?? Promise.resolve()));
  const again = file.close();
  t.false(isClosed);
  tell[0]?.();
  await again;
  t.true(isClosed);
  t.deepEqual(asked, [], 'it was never opened there');
});

test('what was lost says so to whoever uses it, and asks nobody', async (t) => {
  const { file, asked } = stage();
  file.lose(new FsError('EIO', { id: 'WEFT_E_DATA_LOST' }));
  const lost = { code: 'EIO' };
  await t.throwsAsync(file.sync(), lost);
  await t.throwsAsync(file.write(Buffer.from('abc'), 0), lost);
  await file.close();
  t.deepEqual(asked, []);
});
