import test from 'ava';
import { DirectReads } from '../../client/direct-reads.ts';
import type { FileCap } from '../../client/file-cap.ts';
import type { IoPart } from '../../client/io-plan.ts';
import type { IodPool } from '../../client/iod-pool.ts';
import type { MgrSession } from '../../client/mgr-session.ts';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Handle } from '../../shared/units.ts';

test('an iod that does not know the question is asked once on each connection, and reads by messages', async (t) => {
  let now = 0;
  let questions = 0;
  let connection = { peerHost: 'local', isOpen: true };
  const session = { runtime: { clock: { now: () => now } } } as unknown as MgrSession;
  const iods = { iod: () => ({ connection }) } as unknown as IodPool;
  const cap = {
    ask() {
      questions++;
      return Promise.reject(new FsError('ENOSYS'));
    },
  } as unknown as FileCap;
  const file = new DirectReads(session, iods).file(1 as Handle, cap);
  const part = { iod: 0, localOffset: 0, length: 0, segments: [] } as unknown as IoPart;
  const readOn = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) {
      t.is(file.read(part, Infinity), undefined);
      await new Promise(setImmediate);
      now += limits.sharedReadAskMs + 1;
    }
  };
  await readOn();
  t.is(questions, 1);
  connection = { ...connection };
  await readOn();
  t.is(questions, 2, 'the next one may be newer');
});
