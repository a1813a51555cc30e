import test from 'ava';
import { HandleBlocks } from '../../client/handle-blocks.ts';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Handle } from '../../shared/units.ts';
import { soon } from './passing-time.ts';

interface Block {
  readonly first: Handle;
  readonly count: number;
}

/** A mgr that gives blocks when it is told to. */
function stage() {
  const asked: {
    readonly give: (first: number, count?: number) => Promise<void>;
    fail: () => Promise<void>;
  }[] = [];
  const blocks = new HandleBlocks(
    () =>
      new Promise<Block>((resolve, reject) => {
        asked.push({
          give: (first, count = limits.handlesPerTake) => {
            resolve({ first: first as Handle, count });
            return soon();
          },
          fail: () => {
            reject(new FsError('ETIMEDOUT'));
            return soon();
          },
        });
      }),
  );
  const take = (count: number): (Handle | undefined)[] =>
    Array.from({ length: count }, () => blocks.take());
  return { asked, blocks, take };
}

test('handles are taken in turn, each once', async (t) => {
  const { asked, blocks, take } = stage();
  blocks.want();
  await asked[0]?.give(10, 3);
  t.deepEqual(take(4), [10, 11, 12, undefined] as unknown[]);
});

test('there is none before they have come, and they are asked for once', async (t) => {
  const { asked, blocks, take } = stage();
  t.deepEqual(take(2), [undefined, undefined]);
  blocks.want();
  t.is(asked.length, 1);
  await asked[0]?.give(10);
  t.is(blocks.take(), 10 as Handle);
  blocks.want();
  t.is(asked.length, 2, 'somebody says that more are needed');
});

test('more are asked for when half are taken, so that nobody waits', async (t) => {
  const { asked, blocks, take } = stage();
  const { handlesPerTake } = limits;
  blocks.want();
  await asked[0]?.give(1000);
  take(handlesPerTake / 2);
  t.is(asked.length, 1);
  t.deepEqual(take(2).at(-1), (1000 + handlesPerTake / 2 + 1) as Handle);
  t.is(asked.length, 2);
  await asked[1]?.give(9000);
  const rest = take(handlesPerTake / 2 - 2);
  t.is(rest.at(-1), (1000 + handlesPerTake - 1) as Handle);
  t.is(blocks.take(), 9000 as Handle);
  t.is(asked.length, 2);
});

test('when none are given the next one who needs some asks again', async (t) => {
  const { asked, blocks } = stage();
  t.is(blocks.take(), undefined);
  await asked[0]?.fail();
  t.is(blocks.take(), undefined);
  t.is(asked.length, 2);
  await asked[1]?.give(10);
  t.is(blocks.take(), 10 as Handle);
});

test('what a session was given, or has asked for, ends with it', async (t) => {
  const { asked, blocks } = stage();
  blocks.want();
  await asked[0]?.give(10);
  t.is(blocks.take(), 10 as Handle);
  blocks.want();
  blocks.clear();
  t.is(blocks.take(), undefined);
  t.is(asked.length, 3, 'the next session asks for its own');
  await asked[1]?.give(500);
  t.is(blocks.take(), undefined, 'this was for the session that is lost');
  await asked[2]?.give(900);
  t.is(blocks.take(), 900 as Handle);
  blocks.want();
  await asked[3]?.give(2000);
  blocks.clear();
  t.is(blocks.take(), undefined);
});
