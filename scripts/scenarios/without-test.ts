/**
 * Scenarios of the catalogue for which no test stands, and why: the one list of them. When one is
 * named by a test, it is to be taken out here.
 */
export interface Untested {
  readonly why: string;
  readonly scenarios: readonly number[];
}

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

export const withoutTest: readonly Untested[] = [
  {
    why: 'needs locks that hold across hosts: not built',
    scenarios: [93, 108, 109, ...range(203, 213), 290],
  },
  { why: 'needs copies of data: not built', scenarios: [200] },
  {
    why: 'needs checksums of stored bytes, or a record of what was written: not built',
    scenarios: [45, 221],
  },
  {
    why: 'needs sessions that a later program can take over: not built',
    scenarios: [116, 170, 171],
  },
  { why: 'needs sessions that an operator can end: not built', scenarios: [71] },
  {
    why: 'needs a bound on the memory of a whole process: not built, its queues are bounded one by one (237)',
    scenarios: [240],
  },
  { why: 'cannot happen: an iod does not know layouts', scenarios: [52] },
  { why: 'cannot happen: no daemon leaves work to another process', scenarios: [241] },
  { why: 'cannot happen: a file needs no reopening when a connection is new', scenarios: [286] },
  { why: 'is a campaign: `npm run soak`', scenarios: [101] },
  { why: 'is measured: `npm run bench:recovery`', scenarios: [245] },
  { why: 'is measured: `bench/recorder.ts`', scenarios: [271] },
  { why: 'is how all tests are run: side by side, in any order', scenarios: [280] },
];
