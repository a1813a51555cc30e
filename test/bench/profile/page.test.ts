import test from 'ava';
import { profilePage } from '../../../bench/profile/page.ts';
import type { ProfileReport } from '../../../bench/profile/report.ts';
import { sample } from '../peers/sample-report.ts';

const nothing = { ours: 0, node: 0, sqlite: 0, checksum: 0, system: 0, gc: 0, libraries: 0 };

const report: ProfileReport = {
  schema: 1,
  isQuick: false,
  machine: sample.machine,
  profiled: [
    {
      headline: 'create, 1 at once',
      per: 'call',
      perSecond: 3000,
      processes: [
        {
          role: 'client',
          cpu: 40,
          byKind: { ...nothing, ours: 0.75, system: 0.25 },
          longest: [['client/file open', 0.5]],
        },
        { role: 'iods', cpu: 1, byKind: nothing, longest: [] },
      ],
    },
  ],
};

test('the page has a line for each process that has something to do, with the parts of its time', (t) => {
  const page = profilePage(report);
  t.true(page.startsWith('2 processors, 24 GiB of memory'));
  const lines = page.split('\n').filter((line) => line.startsWith('| '));
  t.is(lines.length, 3);
  t.is(
    lines[2],
    '| create, 1 at once | client | 40 us | 75 % |  |  |  | 25 % |  |  | `client/file open` 50 % |',
  );
});
