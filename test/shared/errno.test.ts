import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import test from 'ava';
import {
  type Errno,
  errnoName,
  errnos,
  FsError,
  isFsError,
  ProtocolError,
  remedyOf,
  toFsError,
} from '../../shared/errno.ts';
import { errorCatalogue, type ErrorId } from '../../shared/error-catalogue.ts';

const names = Object.keys(errnos) as Errno[];
const ids = Object.keys(errorCatalogue) as ErrorId[];

test('each errno has a number of its own that leads back to it', (t) => {
  t.is(new Set(Object.values(errnos)).size, names.length);
  for (const name of names) t.is(errnoName(errnos[name]), name);
  t.is(errnoName(0), 'EIO');
  t.is(errnoName(99_999), 'EIO');
});

(process.platform === 'linux' ? test : test.skip)('numbers are those of Linux', (t) => {
  const ours: Record<string, number> = errnos;
  for (const [name, number] of Object.entries(constants.errno)) {
    if (name in ours) t.is(ours[name], number, name);
  }
});

test('each errno has a text and a remedy, and the text is that of Node where Node has one', (t) => {
  const nodeTexts = new Map(getSystemErrorMap().values());
  for (const name of names) {
    const { message } = new FsError(name);
    t.regex(message, new RegExp(`^${name}: [a-z].+`));
    const nodeText = nodeTexts.get(name);
    if (nodeText !== undefined) t.is(message, `${name}: ${nodeText}`);
    t.true(['none', 'again', 'refresh', 'resend'].includes(remedyOf(name)));
  }
});

test('only what can pass by itself has a remedy', (t) => {
  const remedies = names.map((name) => [name, remedyOf(name)] as const);
  t.deepEqual(Object.fromEntries(remedies.filter(([, remedy]) => remedy !== 'none')), {
    EAGAIN: 'again',
    EPIPE: 'resend',
    ECONNRESET: 'resend',
    ESTALE: 'refresh',
  });
});

test('each error code says what happened, its effect and what to try', (t) => {
  for (const id of ids) {
    t.regex(id, /^WEFT_E_[A-Z]+(_[A-Z]+)*$/);
    for (const part of ['what', 'effect', 'advice'] as const) {
      const text: string = errorCatalogue[id][part];
      t.true(text.length >= 10, `${id} ${part}`);
      t.is(text, text.trim(), `${id} ${part}`);
      t.notRegex(text, /\.$|\n/, `${id} ${part}`);
    }
    const error = new FsError('EIO', { id });
    t.is(error.message, `EIO: ${errorCatalogue[id].what}`);
    t.is(error.weftCode, id);
    t.is(error.effect, errorCatalogue[id].effect);
    t.is(error.advice, errorCatalogue[id].advice);
  }
});

test('an error reads as one of node:fs', (t) => {
  const error = new FsError('ENOENT', { syscall: 'rename', path: '/a', dest: '/b' });
  t.is(error.message, "ENOENT: no such file or directory, rename '/a' -> '/b'");
  t.like(error, { name: 'FsError', code: 'ENOENT', errno: -2, syscall: 'rename', path: '/a' });
  t.is(error.dest, '/b');
  t.is(error.effect, undefined);
  t.is(error.advice, undefined);
  t.false('cause' in error);
  t.true(error.stack?.includes('errno.test.ts'));
});

test('particulars come before what the code says in general', (t) => {
  const details = { id: 'WEFT_E_IOD_DOWN', what: 'iod 2 (lab3:7301) refused' } as const;
  const error = new FsError('EAGAIN', { ...details, retryAfterMs: 50, bytesDone: 7 });
  t.is(error.message, 'EAGAIN: iod 2 (lab3:7301) refused');
  t.like(error, { retryAfterMs: 50, bytesDone: 7 });
});

test('a failure seen from a call keeps all it knew', (t) => {
  const cause = new FsError('EAGAIN', {
    id: 'WEFT_E_BUSY',
    what: 'queue full',
    path: '/inner',
    dest: '/inner2',
    retryAfterMs: 20,
    bytesDone: 3,
  });
  const error = cause.during('write');
  t.is(error.message, "EAGAIN: queue full, write '/inner' -> '/inner2'");
  t.like(error, { code: 'EAGAIN', weftCode: 'WEFT_E_BUSY', retryAfterMs: 20, bytesDone: 3 });
  t.is(error.cause, cause);
  const renamed = cause.during('rename', '/a', '/b');
  t.is(renamed.message, "EAGAIN: queue full, rename '/a' -> '/b'");
});

test('an error of ours stays what it is', (t) => {
  const error = new FsError('EROFS');
  t.is(toFsError(error), error);
  t.true(isFsError(error));
  t.false(isFsError(new Error('EROFS')));
  t.false(isFsError(new ProtocolError('breach')));
});

test('a system error keeps its errno, and anything else is EIO; both keep the cause', (t) => {
  const system = Object.assign(new Error('ENOSPC: disk full, write'), { code: 'ENOSPC' });
  t.like(toFsError(system), { code: 'ENOSPC', what: 'ENOSPC: disk full, write', cause: system });
  const foreign = Object.assign(new Error('strange'), { code: 'SQLITE_STRANGE' });
  for (const [thrown, what] of [
    [foreign, 'strange'],
    [new Error('plain'), 'plain'],
    ['a string', 'a string'],
    [undefined, 'undefined'],
    [null, 'null'],
    [{ code: 'toString' }, '[object Object]'],
  ] as const) {
    const error = toFsError(thrown);
    t.is(error.code, 'EIO', what);
    t.is(error.what, what);
    t.is(error.cause, thrown);
  }
});
