import test from 'ava';
import { StreamReads } from '../../../client/fuse/stream-reads.ts';
import type { Known } from '../../../client/name-cache.ts';
import type { SharedRange } from '../../../client/shared-range.ts';
import { limits } from '../../../shared/limits.ts';
import type { Clock } from '../../../shared/runtime/runtime.ts';
import { ManualClock } from '../manual-clock.ts';

const size = 1000;
const length = 300;

/** @param since nobody has written the file; 0: somebody may */
function knownSince(since: number): Known | undefined {
  return since === 0 ? undefined : ({ attr: { size }, since } as unknown as Known);
}

function stage() {
  const clock = new ManualClock();
  const pass = (ms: number): void => clock.pass(ms);
  const streams = new StreamReads(clock as unknown as Clock);
  /** Ranges that were asked for, and of them those that were not given back. */
  const asked: string[] = [];
  const lent = new Set<string>();
  const share = (at: number, bytes: number): Promise<SharedRange | undefined> => {
    const name = `${at}+${bytes}`;
    asked.push(name);
    lent.add(name);
    return Promise.resolve({ segments: [], release: () => lent.delete(name) });
  };
  /** @returns what is asked for with it */
  const read = async (
    offset: number,
    { number = 1, since = 7, bytes = length, by = share }: Partial<Wanted> = {},
  ): Promise<string[]> => {
    asked.length = 0;
    const known = knownSince(since);
    const wanted = { number, file: { share: by }, known, offset, length: bytes };
    const range = await streams.read(wanted, {});
    range?.release();
    await new Promise(setImmediate);
    return [...asked];
  };
  return { streams, read, pass, lent };
}

interface Wanted {
  readonly number: number;
  readonly since: number;
  readonly bytes: number;
  readonly by: (at: number, bytes: number) => Promise<SharedRange | undefined> | undefined;
}

test('who reads in order has the next piece read ahead, up to the end', async (t) => {
  const { read, lent } = stage();
  t.deepEqual(await read(0), ['0+300']);
  t.deepEqual(await read(300), ['300+300', '600+300']);
  t.deepEqual(await read(600), ['900+100'], 'this one was there');
  t.deepEqual([...lent], ['900+100']);
  t.deepEqual(await read(900, { bytes: 100 }), []);
  t.deepEqual([...lent], []);
});

test('what was read ahead is good only as long as nobody can have written the file since', async (t) => {
  const { read, lent } = stage();
  await read(0);
  await read(300);
  t.deepEqual(await read(600, { since: 8 }), ['600+300', '900+100']);
  t.deepEqual(await read(900, { since: 0, bytes: 100 }), ['900+100']);
  t.deepEqual([...lent], []);
});

test('without a right to the file nothing is read ahead', async (t) => {
  const { read } = stage();
  t.deepEqual(await read(0, { since: 0 }), ['0+300']);
  t.deepEqual(await read(300, { since: 0 }), ['300+300']);
});

test('who goes elsewhere, or reads other lengths, gets what he asks for', async (t) => {
  const { read, lent } = stage();
  await read(0);
  await read(300);
  t.deepEqual(await read(0), ['0+300']);
  t.deepEqual([...lent], []);
  await read(300);
  t.deepEqual(await read(600, { bytes: 100 }), ['600+100', '700+100']);
  t.deepEqual([...lent], ['700+100']);
});

test('what cannot be had directly is not read ahead either', async (t) => {
  const { read } = stage();
  const asked: number[] = [];
  const cannot = (at: number): undefined => void asked.push(at);
  const fails = (at: number): Promise<undefined> => Promise.resolve(cannot(at));
  for (const by of [cannot, fails]) {
    asked.length = 0;
    await read(0, { by });
    await read(300, { by });
    t.deepEqual(asked, [0, 300]);
  }
});

test('what nobody asks for is given back: after a while, and with the file', async (t) => {
  const { streams, read, pass, lent } = stage();
  await read(0);
  await read(300);
  pass(limits.fuseReadAheadMs - 1);
  await read(0, { number: 2 });
  await read(300, { number: 2 });
  t.is(lent.size, 1, 'they read the same');
  pass(1);
  await new Promise(setImmediate);
  t.deepEqual(await read(600), ['600+300', '900+100'], 'the first one is gone');
  t.deepEqual(await read(600, { number: 2 }), ['900+100'], 'the second one is not');
  streams.closed(1);
  streams.closed(2);
  await new Promise(setImmediate);
  t.is(lent.size, 0);
});

test('who has closed the file has nothing read ahead for him', async (t) => {
  const { streams, read, lent } = stage();
  await read(0);
  const reading = read(300);
  streams.closed(1);
  t.deepEqual(await reading, ['300+300']);
  t.is(lent.size, 0);
});

test('no more is read ahead than there is memory for', async (t) => {
  const { read, lent } = stage();
  const by = (number: number) => (at: number, bytes: number) => {
    const name = `${number}: ${at}+${bytes}`;
    lent.add(name);
    return Promise.resolve({ segments: [], release: () => lent.delete(name) });
  };
  for (let number = 0; number <= limits.fuseReadsAheadMax; number++) {
    await read(0, { number, by: by(number) });
    await read(300, { number, by: by(number) });
  }
  t.is(lent.size, limits.fuseReadsAheadMax);
  t.false(lent.has('0: 600+300'), 'the oldest has gone');
});
