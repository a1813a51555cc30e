import test from 'ava';
import { plain } from '../../../client/cli/colors.ts';
import { entryJson, longCells, modeText, timeText } from '../../../client/cli/entry.ts';
import { Stats } from '../../../client/stats.ts';
import type { ByteString, Handle } from '../../../shared/units.ts';
import { byteString } from '../../../shared/units.ts';

const time = { seconds: 1_700_000_000, nanoseconds: 5 };
const stats = new Stats({
  handle: 7 as Handle,
  kind: 'file',
  mode: 0o4750,
  links: 2,
  uid: 10,
  gid: 20,
  device: 0,
  size: 1500,
  accessed: time,
  modified: time,
  changed: time,
  born: time,
  layout: { base: 1, pcount: 2, ssize: 4096, total: 4 },
  place: 'iods',
  sizeExact: false,
  holes: 0,
  right: false,
});

test('modes are written as ls writes them', (t) => {
  t.is(modeText('directory', 0o755), 'drwxr-xr-x');
  t.is(modeText('file', 0o4755), '-rwsr-xr-x');
  t.is(modeText('file', 0o6644), '-rwSr-Sr--');
  t.is(modeText('directory', 0o1777), 'drwxrwxrwt');
  t.is(modeText('symlink', 0o1770), 'lrwxrwx--T');
});

test('recent times have their hour, older ones their year', (t) => {
  const now = new Date(2024, 5, 15);
  t.is(timeText(new Date(2024, 5, 3, 7, 5), now), 'Jun  3 07:05');
  t.is(timeText(new Date(2023, 10, 14), now), 'Nov 14  2023');
});

test('a size that is not exact is told as the least', (t) => {
  const entry = { name: byteString('a'), stats, target: undefined };
  const cells = longCells(entry, { human: true, paint: plain, now: new Date(0) });
  t.deepEqual(cells.slice(0, 5), ['-rwsr-x---', '2', '10', '20', '>=1.5K']);
});

test('the object of a file has all that is known, and bytes where the path is no text', (t) => {
  const path = '/a\xff' as ByteString;
  const json = entryJson(path, { name: path, stats, target: Buffer.from('there') });
  t.like(json, {
    pathBase64: Buffer.from(path, 'latin1').toString('base64'),
    mode: '4750',
    handle: 7,
    size: 1500,
    sizeExact: false,
    modified: '2023-11-14T22:13:20.000Z',
    layout: { base: 1, pcount: 2, ssize: 4096, total: 4 },
    target: 'there',
  });
});
