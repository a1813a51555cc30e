import test from 'ava';
import type { File } from '../../../client/file.ts';
import { OpenFiles } from '../../../client/fuse/open-files.ts';
import type { Handle } from '../../../shared/units.ts';

const handle = 5 as Handle;
const file = () => ({ handle }) as File;

test('a file is open until the last who has opened it has given it back', (t) => {
  const files = new OpenFiles();
  const [one, two] = [files.add(file(), false), files.add(file(), true)];
  t.true(files.isOpen(handle));
  files.take(one);
  t.true(files.isOpen(handle));
  files.take(two);
  t.false(files.isOpen(handle));
  t.is(files.size, 0);
});

test('it is written until the last writer is closed, which may be later', (t) => {
  const files = new OpenFiles();
  files.add(file(), false);
  t.false(files.isWritten(handle));
  const writer = file();
  const number = files.add(writer, true);
  t.true(files.isWritten(handle));
  t.is(files.take(number), writer);
  t.true(files.isWritten(handle));
  files.closed(writer);
  t.false(files.isWritten(handle));
});
