/** What becomes of changes whose callers have stopped waiting. */
import test from 'ava';
import { FsError } from '../../../shared/errno.ts';
import { encode } from '../../../shared/wire/codec.ts';
import { deferred, failure, ops, Pair, type PairOptions } from './pair.ts';

async function started(options: PairOptions) {
  const pair = new Pair(options);
  await pair.pass(10);
  const link = await pair.run(() => pair.link({}));
  return { pair, link, complete: pair.world.complete.bind(pair.world) };
}

test('a change that is given up is asked after until somebody knows what became of it, and its slot is not used before (SCENARIOS 118, 289)', async (t) => {
  const asked: unknown[] = [];
  const troubles = [
    () => new FsError('EAGAIN', { id: 'WEFT_E_BUSY', retryAfterMs: 10 }),
    () => new FsError('ENOSPC'),
    () => undefined,
  ];
  const { pair, link, complete } = await started({
    handlers: {
      change: () => deferred<{ n: number }>().promise,
      abandon: ({ sequence }, { slot, connection }) => {
        asked.push([slot, sequence]);
        if (asked.length === 3) connection.close(new FsError('ECONNRESET'));
        const trouble = troubles[asked.length - 1]?.();
        if (trouble) throw trouble;
        return { made: { op: ops.change.code, reply: encode(ops.change.reply, { n: 7 }) } };
      },
    },
  });
  const heard: unknown[] = [];
  const call = pair.client.call(() =>
    link.call(
      ops.change,
      { n: 1 },
      { deadline: pair.deadline(100), settled: (reply) => heard.push(reply) },
    ),
  );
  t.is((await failure(complete(call))).code, 'ETIMEDOUT');
  t.deepEqual(heard, []);
  await pair.pass(5_000);
  t.deepEqual(heard, [{ n: 7 }]);
  t.deepEqual(
    asked,
    Array.from({ length: 4 }, () => [0, 1]),
  );
});

test('who gives up what was never sent, or is refused, hears at once that nothing has happened', async (t) => {
  const { pair, link, complete } = await started({
    handlers: {
      change: () => {
        throw new FsError('EACCES');
      },
    },
  });
  const heard: unknown[] = [];
  const begin = (deadlineMs: number) =>
    pair.client.call(() =>
      link.call(
        ops.change,
        { n: 1 },
        { deadline: pair.deadline(deadlineMs), settled: (reply) => heard.push(reply) },
      ),
    );
  t.is((await failure(complete(begin(1_000)))).code, 'EACCES');
  pair.server.kill();
  await pair.pass(100);
  t.is((await failure(complete(begin(100)))).code, 'ETIMEDOUT');
  t.deepEqual(heard, [undefined, undefined]);
});

test('what is given back while the disk of the peer is full is told so, and given back at last (SCENARIOS 174)', async (t) => {
  let isFull = true;
  const done: number[] = [];
  const { pair, link, complete } = await started({
    handlers: {
      change: ({ n }) => {
        if (isFull) throw new FsError('ENOSPC', { id: 'WEFT_E_DISK' });
        done.push(n);
        return { n };
      },
    },
  });
  const options = { deadline: pair.deadline(60_000), goesOn: true };
  const call = pair.client.call(() => link.call(ops.change, { n: 1 }, options));
  t.is((await failure(complete(call))).code, 'ENOSPC');
  await pair.pass(5_000);
  isFull = false;
  await pair.pass(5_000);
  t.deepEqual(done, [1]);
});
