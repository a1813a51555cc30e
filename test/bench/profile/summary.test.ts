import test from 'ava';
import { type CpuProfile, summarise } from '../../../bench/profile/summary.ts';

const dist = 'file:///somewhere/dist';
let nextId = 1;

function node(functionName: string, url: string, children: readonly number[] = []) {
  return { id: nextId++, callFrame: { functionName, url }, children };
}

/** Each function is sampled for as many microseconds as said. */
function profileOf(times: readonly (readonly [node: ReturnType<typeof node>, us: number])[]) {
  return {
    nodes: times.map(([one]) => one),
    samples: times.map(([{ id }]) => id),
    timeDeltas: times.map(([, us]) => us),
  } satisfies CpuProfile;
}

test('time goes to the kind of code that it was spent in, without that of waiting', (t) => {
  const run = node('run', '');
  const write = node('writev', '');
  const { busyUs, byKind } = summarise([
    profileOf([
      [node('(idle)', ''), 5000],
      [node('(program)', ''), 10],
      [node('(garbage collector)', ''), 20],
      [node('commit', `${dist}/mgr/store/sqlite-commit.js`, [run.id]), 30],
      [run, 40],
      [node('flush', `${dist}/shared/rpc/outbox.js`, [write.id]), 50],
      [write, 60],
      [node('nextTick', 'node:internal/process/task_queues'), 70],
      [node('wasm-function[5]', 'wasm://wasm/8e4'), 80],
      [node('h64Raw', 'file:///somewhere/node_modules/xxhash-wasm/esm/xxhash-wasm.js'), 90],
    ]),
  ]);
  t.deepEqual(byKind, {
    ours: 80,
    node: 70,
    sqlite: 40,
    checksum: 80,
    system: 70,
    gc: 20,
    libraries: 90,
  });
  t.is(busyUs, 450);
});

test('functions come with their files, summed over profiles and calls, the longest first', (t) => {
  const read = (): ReturnType<typeof node> => node('read', `${dist}/client/file.js`);
  const profiles = [
    profileOf([
      [read(), 10],
      [node('', `${dist}/client/file.js`), 15],
    ]),
    profileOf([[read(), 20]]),
  ];
  t.deepEqual(summarise(profiles).byFunction, [
    ['client/file read', 30],
    ['client/file (anonymous)', 15],
  ]);
});

test('a profile of a process that did nothing has no time, and no part of it is negative', (t) => {
  const { busyUs, byFunction } = summarise([profileOf([[node('f', `${dist}/a.js`), -7]])]);
  t.is(busyUs, 0);
  t.deepEqual(byFunction, []);
});
