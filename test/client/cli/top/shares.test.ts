import test from 'ava';
import { sharesBetween } from '../../../../client/cli/top/shares.ts';
import type { Handle, SessionId } from '../../../../shared/units.ts';
import type { LoadPage } from '../../../../shared/wire/values.ts';

type Figures = readonly [key: number, answered: number, read: number, written: number];

function page(clients: readonly Figures[], files: readonly Figures[] = []): LoadPage {
  const counters = ([, answered, readBytes, writtenBytes]: Figures) => {
    return { answered, readBytes, writtenBytes };
  };
  return {
    clients: clients.map((one) => ({ session: one[0] as SessionId, ...counters(one) })),
    files: files.map((one) => ({ handle: one[0] as Handle, ...counters(one) })),
  };
}

const look = (atMs: number, pages: Readonly<Record<string, LoadPage>>) => {
  return { atMs, pages: new Map(Object.entries(pages)) };
};

test('what a client has cost is summed over the daemons, and told by the second', (t) => {
  const before = look(1000, { mgr: page([[1, 5, 0, 0]]), iod0: page([[1, 10, 100, 0]]) });
  const now = look(3000, { mgr: page([[1, 7, 0, 0]]), iod0: page([[1, 14, 300, 40]]) });
  t.deepEqual(sharesBetween(before, now, 10).clients, [
    [1 as SessionId, { requestsPerSecond: 3, readBytesPerSecond: 100, writtenBytesPerSecond: 20 }],
  ]);
});

test('the busiest come first, and who has done nothing is left out', (t) => {
  const files: readonly Figures[] = [1, 2, 3, 4, 5].map((key) => [key, 1, 0, 0]);
  const before = look(0, { iod0: page([], files) });
  const now = look(1000, {
    iod0: page(
      [],
      [
        [1, 9, 0, 0],
        [2, 2, 50, 0],
        [3, 2, 0, 60],
        [4, 1, 0, 0],
        [5, 3, 0, 0],
      ],
    ),
  });
  const order = (count: number) =>
    sharesBetween(before, now, count).files.map(([handle]) => Number(handle));
  t.deepEqual(order(10), [3, 2, 1, 5]);
  t.deepEqual(order(2), [3, 2]);
});

test('what was opened anew counts from nothing; a daemon that has come since, from the next look', (t) => {
  const before = look(0, { iod0: page([[1, 100, 1000, 0]]) });
  const now = look(1000, { iod0: page([[1, 3, 30, 0]]), iod1: page([[1, 500, 500, 0]]) });
  const [[, share] = []] = sharesBetween(before, now, 1).clients;
  t.like(share, { requestsPerSecond: 3, readBytesPerSecond: 30 });
});
