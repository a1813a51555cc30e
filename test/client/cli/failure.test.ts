import { readFileSync } from 'node:fs';
import test from 'ava';
import { UsageError } from '../../../client/cli/arguments.ts';
import {
  CommandError,
  describeFailure,
  failureJson,
  failureText,
  shortFailure,
} from '../../../client/cli/failure.ts';
import { FsError } from '../../../shared/errno.ts';

test('an error of ours is told with its code, effect and advice', (t) => {
  const error = new FsError('ETIMEDOUT', { id: 'WEFT_E_IOD_DOWN', what: 'iod2 refused' });
  const text = failureText(describeFailure(error.during('read', '/a')));
  t.regex(text, /^weft: WEFT_E_IOD_DOWN \(ETIMEDOUT\): iod2 refused, read '\/a'\n {2}effect: /);
  t.regex(text, /\n {2}try: {4}weft status names it/);
});

test('a plain outcome is one line, without its code twice', (t) => {
  const error = new FsError('ENOENT', { syscall: 'stat', path: '/a' });
  t.is(failureText(describeFailure(error)), "weft: ENOENT: no such file or directory, stat '/a'");
});

test('errors of Node keep code and path', (t) => {
  const error = t.throws(() => readFileSync('/no/such/file'));
  const { code, path } = describeFailure(error);
  t.deepEqual({ code, path }, { code: 'ENOENT', path: '/no/such/file' });
});

test('a usage error says that nothing was done', (t) => {
  const { code, effect, advice } = describeFailure(new UsageError('no', 'yes'));
  t.deepEqual(
    { code, effect, advice },
    { code: 'EUSAGE', effect: 'nothing was done', advice: 'yes' },
  );
});

test('a mistake of ours shows where it was made', (t) => {
  const { code, message } = describeFailure(new TypeError('oops'));
  t.is(code, 'EINTERNAL');
  t.true(message.includes('failure.test.ts'));
});

test('JSON has every field, null for what is not known', (t) => {
  const line = failureJson(describeFailure(new CommandError('EBUSY', 'runs', { path: '/d' })));
  t.deepEqual(JSON.parse(line), {
    schema: 1,
    error: {
      code: 'EBUSY',
      weftCode: null,
      message: 'runs',
      effect: null,
      advice: null,
      path: '/d',
    },
  });
});

test('no name inside a message steers the terminal', (t) => {
  const error = new FsError('ENOENT', { syscall: 'stat', path: '/\u001b[2J' });
  t.notRegex(failureText(describeFailure(error)), /\p{Cc}/u);
  t.notRegex(shortFailure(error), /\p{Cc}/u);
});
