import test from 'ava';
import { asTable } from '../../../bench/peers/table.ts';
import { sample } from './sample-report.ts';

const lines = asTable(sample).split('\n');

test('the table says where, how often, and gives each work a heading with its unit', (t) => {
  t.is(
    lines[0],
    '2 processors, 24 GiB of memory, ext4, Linux 6.0, Node 20.0.0, load at the start 0; median of 3 rounds',
  );
  t.true(lines.includes('write a new file, calls of 1 MiB, MB/s'));
  t.true(lines.includes('unlink, /s'));
  t.true(asTable({ ...sample, isQuick: true }).includes('3 rounds, small sizes'));
});

test('a line has median, range, processor time, memory and the ratio to each limit', (t) => {
  const line = lines.find((one) => one.startsWith('  weftfs '));
  t.is(
    line?.replace(/ +/g, ' '),
    ' weftfs 200 (100 - 300) 2 s/GiB 500 MiB 0.10 of local disk, 0.25 of loopback TCP',
  );
});

test('a limit has no ratio to itself', (t) => {
  t.regex(asTable(sample), /local disk +2,000 +\(2,000 - 2,000\) *\n/);
});

test('what was skipped is named with the reason', (t) => {
  t.is(lines.at(-1), 'skipped: MooseFS: it is not installed');
});
