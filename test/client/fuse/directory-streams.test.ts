import test from 'ava';
import { openBits } from '../../../client/fuse/protocol.ts';
import { DirectoryStreams, type Page } from '../../../client/fuse/directory-streams.ts';

function page(cookies: readonly number[], done: boolean): Page {
  const entries = cookies.map((cookie) => ({ cookie }));
  return { entries, done, parent: 1 } as unknown as Page;
}

test('one page serves many calls, and from the beginning it is asked for anew', async (t) => {
  const streams = new DirectoryStreams();
  const number = streams.open(0);
  const asked: number[] = [];
  const read = async (after: number): Promise<number[]> => {
    const { entries } = await streams.read(number, after, () => {
      asked.push(after);
      return Promise.resolve(after < 3 ? page([1, 2, 3], false) : page([4], true));
    });
    return entries.map(({ cookie }) => cookie).filter((cookie) => cookie > after);
  };
  t.deepEqual(await read(0), [1, 2, 3]);
  t.deepEqual(await read(2), [3]);
  t.deepEqual(await read(3), [4]);
  t.deepEqual(await read(4), [], 'the end is known');
  t.deepEqual(asked, [0, 3]);
  t.deepEqual(await read(0), [1, 2, 3]);
  t.deepEqual(await read(3), [4]);
  t.deepEqual(asked, [0, 3, 0, 3]);
  t.deepEqual(await read(2), [1, 2, 3].slice(2), 'back to a place before the page');
});

test('it is known of a stream whether the kernel keeps what it reads there', (t) => {
  const streams = new DirectoryStreams();
  const kept = streams.open(openBits.cacheDirectory);
  t.true(streams.isKept(kept));
  t.false(streams.isKept(streams.open(0)));
  streams.close(kept);
  t.false(streams.isKept(kept));
});
