import { constants } from 'node:fs';
import test from 'ava';
import { type OpenMode, openIntent } from '../../client/open-flags.ts';
import { FsError } from '../../shared/errno.ts';
import { openFlags } from '../../shared/wire/mgr-ops.ts';

const { create, exclusive, read, truncate, write } = openFlags;

const table: Readonly<
  Record<string, readonly [flags: number, append?: 'append', durable?: 'durable']>
> = {
  r: [read],
  'r+': [read | write],
  w: [write | create | truncate],
  wx: [write | create | truncate | exclusive],
  'w+': [read | write | create | truncate],
  'wx+': [read | write | create | truncate | exclusive],
  a: [write | create, 'append'],
  ax: [write | create | exclusive, 'append'],
  'a+': [read | write | create, 'append'],
  'ax+': [read | write | create | exclusive, 'append'],
  as: [write | create, 'append', 'durable'],
  'as+': [read | write | create, 'append', 'durable'],
};

for (const [mode, [flags, append, durable]] of Object.entries(table)) {
  test(`mode ${mode} is understood as in node:fs`, (t) => {
    t.deepEqual(openIntent(mode as OpenMode), {
      flags,
      append: append !== undefined,
      durable: durable !== undefined,
    });
  });
}

test('the synchronous modes make every write durable', (t) => {
  for (const mode of ['rs', 'rs+', 'as', 'as+'] as const) t.true(openIntent(mode).durable);
  const { O_DSYNC, O_SYNC, O_WRONLY } = constants;
  t.true(openIntent(O_WRONLY | O_SYNC).durable);
  t.true(openIntent(O_WRONLY | O_DSYNC).durable);
  t.false(openIntent(O_WRONLY).durable);
});

test('the numbers of open(2) are understood bit by bit', (t) => {
  const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } =
    constants;
  t.is(openIntent(O_RDONLY).flags, read);
  t.is(openIntent(O_WRONLY).flags, write);
  t.is(openIntent(O_RDWR).flags, read | write);
  t.is(openIntent(O_RDONLY | O_DIRECTORY).flags, read | openFlags.directory);
  t.is(openIntent(O_RDONLY | O_NOFOLLOW).flags, read | openFlags.noFollow);
  t.is(openIntent(O_WRONLY | O_CREAT | O_EXCL).flags, write | create | exclusive);
  t.is(openIntent(O_RDWR | O_TRUNC).flags, read | write | truncate);
});

test('what is no mode is refused, and the error lists what there is', (t) => {
  for (const wrong of ['rw', '', 'toString', 'constructor', 1.5, NaN, null]) {
    const error = t.throws(() => openIntent(wrong as OpenMode), { instanceOf: FsError });
    t.is(error?.code, 'EINVAL');
    t.regex(error?.message ?? '', /use one of r rs r\+/);
  }
});
