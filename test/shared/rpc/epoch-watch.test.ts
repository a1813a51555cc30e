import test from 'ava';
import { EpochWatch, OwnEpoch } from '../../../shared/rpc/epoch-watch.ts';
import { failure, ops, Pair, serverSelf } from './pair.ts';

const epoch = (generation: number, number = 0) => ({ generation, number });

test('the newest epoch of a server is kept, and what clients repeat counts for nothing', (t) => {
  const watch = new EpochWatch();
  t.true(watch.observe('mgr', epoch(2, 5)));
  t.true(watch.observe('iod', epoch(2, 6)));
  t.true(watch.observe('client', epoch(9, 9)));
  t.deepEqual(watch.newest, epoch(2, 6));
  t.true(watch.observe('iod', epoch(1, 9)), 'an iod may be behind');
  t.true(watch.observe('mgr', epoch(2, 1)), 'a late message of the same mgr');
  t.deepEqual(watch.newest, epoch(2, 6));
});

test('a mgr of an earlier generation than one that is known is refused', (t) => {
  const watch = new EpochWatch(epoch(3));
  t.false(watch.observe('mgr', epoch(2, 99)));
  t.true(watch.observe('mgr', epoch(4)));
  t.deepEqual(watch.newest, epoch(4));
});

test('a mgr takes no epoch from an iod, and refuses one that has served a later mgr', (t) => {
  const own = new OwnEpoch(epoch(3));
  t.true(own.observe('iod', epoch(3, 7)));
  t.deepEqual(own.newest, epoch(3));
  t.false(own.observe('iod', epoch(4)));
  t.deepEqual(own.newest, epoch(3));
});

test('a mgr that was replaced is left at its first word, and the call goes to the newer one', async (t) => {
  let generation = 5;
  const mgr = { ...serverSelf, role: 'mgr' as const, node: 'mgr' };
  const pair = new Pair({
    acceptor: {
      self: mgr,
      get epochs() {
        return new EpochWatch(epoch(generation));
      },
    },
  });
  await pair.pass(10);
  const epochs = new EpochWatch(epoch(6));
  const link = await pair.run(() => pair.link({ expect: 'mgr', name: 'the mgr', epochs }));
  const call = (ms: number) =>
    pair.run(() => link.call(ops.echo, { n: 1 }, { deadline: pair.deadline(ms) }));
  const error = await failure(call(1000));
  t.is(error.code, 'ETIMEDOUT');
  t.regex(error.message, /generation 5, a later one is known/);
  generation = 7;
  pair.server.restart();
  t.deepEqual(await call(10_000), { n: 1 });
  t.deepEqual(epochs.newest, epoch(7));
});

test('nobody believes an epoch before it has been proved who tells it', async (t) => {
  const pair = new Pair({ acceptor: { epochs: new EpochWatch(epoch(8)) } });
  await pair.pass(10);
  const epochs = new EpochWatch();
  const link = await pair.run(() => pair.link({ expect: 'mgr', epochs }));
  await failure(pair.run(() => link.call(ops.echo, { n: 1 }, { deadline: pair.deadline(1000) })));
  t.deepEqual(epochs.newest, epoch(0));
});
