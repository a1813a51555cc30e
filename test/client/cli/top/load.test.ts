import test from 'ava';
import { loadBetween } from '../../../../client/cli/top/load.ts';
import { labelOf, parseSamples, sumOf } from '../../../../client/cli/top/samples.ts';

const text = (requests: number, seconds: number, bytes: number): string[] => [
  '# HELP weftfs_state State of this daemon.',
  '# TYPE weftfs_state gauge',
  'weftfs_state{state="SYNCING"} 0',
  'weftfs_state{state="SERVING"} 1',
  `weftfs_request_duration_seconds_sum{op="read",outcome="ok"} ${seconds}`,
  `weftfs_request_duration_seconds_count{op="read",outcome="ok"} ${requests}`,
  'weftfs_request_duration_seconds_count{op="write",outcome="ok"} 1e3',
  'weftfs_requests_running 3',
  `weftfs_iod_read_bytes_total ${bytes}`,
  'weftfs_iod_read_bytes_total_of_others 99',
  'process_resident_memory_bytes 1048576',
  '',
];

test('samples are read as they are written', (t) => {
  const samples = parseSamples(text(7, 0.5, 4096));
  t.is(sumOf(samples, 'weftfs_request_duration_seconds_count'), 1007);
  t.is(sumOf(samples, 'weftfs_iod_read_bytes_total'), 4096, 'a longer name is another metric');
  t.is(sumOf(samples, 'weftfs_nothing'), 0);
  t.is(labelOf(samples, 'weftfs_state', 'state'), 'SERVING');
  t.is(labelOf(samples, 'weftfs_requests_running', 'state'), undefined);
});

test('a load is what has grown between two looks', (t) => {
  const before = { atMs: 1000, samples: parseSamples(text(10, 1, 1000)) };
  const now = { atMs: 3000, samples: parseSamples(text(110, 1.5, 9000)) };
  t.like(loadBetween(before, now), {
    state: 'SERVING',
    requestsPerSecond: 50,
    meanMs: 5,
    running: 3,
    readBytesPerSecond: 4000,
    writtenBytesPerSecond: 0,
    residentBytes: 1048576,
  });
  t.is(loadBetween(now, { ...now, atMs: 4000 }).meanMs, null);
});

test('a daemon that has started anew counts from nothing', (t) => {
  const before = { atMs: 0, samples: parseSamples(text(10, 1, 9000)) };
  const now = { atMs: 1000, samples: parseSamples(text(10, 1, 500)) };
  t.is(loadBetween(before, now).readBytesPerSecond, 500);
});
