import test from 'ava';
import { orangefsPage, peersChart, peersPage } from '../../../bench/peers/page.ts';
import { sample } from './sample-report.ts';

const page = peersPage(sample, 'chart.svg');

test('the page gives the mount beside each peer, and the library', (t) => {
  t.true(
    page.includes(
      '| work | weftfs, mounted | of GlusterFS | of MooseFS | of MooseFS, durable names | by its library |',
    ),
  );
  t.true(page.includes('| write a new file, calls of 1 MiB | 200 MB/s | 4.0 |  |  | 400 MB/s |'));
  t.true(page.includes('](chart.svg)'));
  t.true(page.includes('a file of 1,024 MiB, 1,000 files of 4 KiB, and a tree of 10 files'));
});

test('where we are slower is said in words', (t) => {
  t.true(page.includes('Slower than GlusterFS: unlink (0.50).'));
  t.false(page.includes('Slower than MooseFS'));
});

test('each figure, each setup and what was skipped are there', (t) => {
  t.true(
    page.includes(
      '| weftfs | 200 | (100 - 300) | 2 s/GiB | 500 MiB | 0.10 of local disk, 0.25 of loopback TCP |',
    ),
  );
  t.true(page.includes('- **GlusterFS** (1): about GlusterFS.'));
  t.true(page.includes('Skipped: MooseFS, it is not installed.'));
});

test('beside OrangeFS stand parts of loopback TCP', (t) => {
  t.true(orangefsPage(sample).includes('| write, calls of 1 MiB | 0.56 | 0.50 |  |'));
});

test('the chart shows systems as bars, limits as text, and no work that nobody did', (t) => {
  const chart = peersChart(sample);
  t.is(chart.match(/class="title"/g)?.length, 2);
  t.true(chart.includes('MB/s, local disk: 2,000, loopback TCP: 800'));
  t.false(chart.includes('>local disk<'));
  t.is(chart.match(/<rect class="theirs"/g)?.length, 2);
});
