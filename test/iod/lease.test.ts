import test from 'ava';
import { Lease } from '../../iod/lease.ts';
import { limits } from '../../shared/limits.ts';
import type { Clock } from '../../shared/runtime/runtime.ts';

test('a lease counts from when a message was sent, not from its answer, and never gets shorter', (t) => {
  let now = 1_000;
  const lease = new Lease({ now: () => now } as Pick<Clock, 'now'> as Clock);
  const ended = { code: 'EAGAIN', message: /lease/ };
  const error = t.throws(() => lease.check(), ended);
  t.like(error, { weftCode: 'WEFT_E_LEASE_ENDED' });
  lease.renew(now);
  lease.renew(now - 500);
  now += 9_000;
  lease.renew(2_000);
  now = 2_000 + limits.iodLeaseMs - 1;
  t.notThrows(() => lease.check());
  now++;
  t.throws(() => lease.check(), ended);
});
