import test, { type ExecutionContext } from 'ava';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { FsError } from '../../../shared/errno.ts';
import { makeLog, silentLog } from '../../../shared/runtime/log.ts';
import { plainField } from '../../../shared/runtime/node/log-fields.ts';
import { Repeats } from '../../../shared/runtime/log-repeats.ts';
import { temporaryDirectory } from './recorder.ts';
import type { LogFields, LogLevel } from '../../../shared/runtime/runtime.ts';
import { loaderWords, moduleUrl } from '../../../scripts/project.ts';

interface Line {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

function arrayLog(level: LogLevel, fields: LogFields = {}) {
  const lines: Line[] = [];
  const log = makeLog(level, fields, (level, message, fields) => {
    lines.push({ level, message, fields });
  });
  return { log, lines };
}

const logLines = JSON.stringify(moduleUrl('shared/runtime/node/log-lines.ts'));

/** What a process writes to standard error that opens a log with `settings` and runs `code`. */
async function written(settings: unknown, code: string): Promise<string> {
  const script = `
    import { openLog } from ${logLines};
    const log = openLog(${JSON.stringify(settings)});
    ${code}
  `;
  const { stderr } = await promisify(execFile)(process.execPath, [
    ...loaderWords,
    '--input-type=module',
    '-e',
    script,
  ]);
  return stderr;
}

test('lines below the level are not written, and enabled says so', (t) => {
  for (const [level, count] of [
    ['error', 1],
    ['warn', 2],
    ['info', 3],
    ['debug', 4],
  ] as const) {
    const { log, lines } = arrayLog(level);
    const levels = ['error', 'warn', 'info', 'debug'] as const;
    for (const each of levels) log[each]('said', { each });
    t.is(lines.length, count);
    t.deepEqual(
      levels.map((each) => log.enabled(each)),
      levels.map((_, i) => i < count),
    );
  }
});

test('fields of the log, its children and the line come together', (t) => {
  const { log, lines } = arrayLog('debug', { role: 'iod' });
  log.child({ conn: 7 }).child({ tag: 1 }).info('served', { bytes: 5 });
  t.deepEqual(lines, [
    { level: 'info', message: 'served', fields: { role: 'iod', conn: 7, tag: 1, bytes: 5 } },
  ]);
});

test('a warning that repeats is written at powers of two, each key and child counted together (SCENARIOS 177, 275)', (t) => {
  const { log, lines } = arrayLog('debug');
  const child = log.child({ conn: 1 });
  for (let i = 0; i < 20; i++) (i % 2 === 0 ? log : child).warn('mgr unreachable', { key: 'a', i });
  t.deepEqual(
    lines.map(({ fields }) => fields['times']),
    [undefined, 2, 4, 8, 16],
  );
  lines.length = 0;
  log.warn('mgr unreachable', { key: 'b' });
  log.error('another fault');
  t.is(lines.length, 2);
  lines.length = 0;
  for (let i = 0; i < 5; i++) log.info('lifecycle');
  t.is(lines.length, 5, 'only errors and warnings are held back');
});

test('a line that was long away is news again, and lines counted are bounded', (t) => {
  const repeats = new Repeats();
  t.is(repeats.count('a', 0), 1);
  t.is(repeats.count('a', 500_000), 2);
  t.is(repeats.count('a', 1_000_000), 3);
  t.is(repeats.count('a', 1_700_000), 1);
  for (let i = 0; i < 1023; i++) repeats.count(`line ${i}`, 1_700_000);
  t.is(repeats.count('a', 1_700_000), 2);
  for (let i = 0; i < 1024; i++) repeats.count(`other ${i}`, 1_700_000);
  t.is(repeats.count('a', 1_700_000), 1);
});

test('any field becomes something that JSON can hold', (t) => {
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  const cause = new FsError('EIO', { id: 'WEFT_E_DISK', what: 'bad sector' });
  const plain = plainField({
    big: 2n ** 60n,
    bytes: Buffer.alloc(5),
    list: [1n, undefined, null],
    map: new Map([['a', 1n]]),
    run: plainField,
    error: new Error('outer', { cause }),
    long: 'x'.repeat(5000),
    circle,
  }) as Record<string, unknown>;
  t.notThrows(() => JSON.stringify(plain));
  t.is(plain['big'], '1152921504606846976');
  t.is(plain['bytes'], '<5 bytes>');
  t.deepEqual(plain['list'], ['1', undefined, null]);
  t.deepEqual(plain['map'], [['a', '1']]);
  const error = plain['error'] as Record<string, unknown>;
  t.is(error['message'], 'outer');
  t.true(String(error['stack']).includes('log.test'), 'an unexpected error has its stack');
  t.like(error['cause'], { code: 'EIO', weftCode: 'WEFT_E_DISK' });
  t.false('stack' in (error['cause'] as object), 'an expected one has none');
  t.true(String(plain['long']).length < 3000);
});

test('a daemon writes one JSON object a line, with level, time and fields', async (t) => {
  const text = await written(
    { level: 'info', fields: { role: 'mgr' } },
    `log.info('state changed', { from: 'BOOT', count: 3n, error: new Error('why'), level: 'x' });
     log.debug('not shown');
     log.child({ conn: 4 }).error('disk failed');`,
  );
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  t.is(lines.length, 2);
  t.like(lines[0], {
    level: 'info',
    message: 'state changed',
    role: 'mgr',
    from: 'BOOT',
    count: '3',
  });
  t.like(lines[0]?.['error'], { message: 'why' });
  t.regex(String(lines[0]?.['timestamp']), /^\d{4}-\d\d-\d\dT/);
  t.like(lines[1], { level: 'error', message: 'disk failed', role: 'mgr', conn: 4 });
});

test('without JSON a line reads as text', async (t) => {
  const text = await written(
    { level: 'debug', json: false, fields: { role: 'iod' } },
    `log.warn('peer cut', { peer: '1.2.3.4:5', bytes: 7n, list: [1] });`,
  );
  t.regex(text, /^\S+Z WARN {2}peer cut role=iod peer=1\.2\.3\.4:5 bytes=7 list=\[1\]\n$/);
});

test('a command writes warnings and errors as text; a library nothing; neither loads winston', async (t) => {
  const loaded = `
    import { createRequire } from 'node:module';
    const cache = Object.keys(createRequire(import.meta.url).cache);
    if (cache.some((file) => file.includes('winston'))) process.stderr.write('winston is here');
  `;
  const say = `log.info('no'); log.warn('careful', { path: '/x' }); log.error('broken');`;
  const warnings = await written('warnings', say + loaded);
  t.is(warnings, 'weft: warn: careful path=/x\nweft: error: broken\n');
  t.is(await written('silent', say + loaded), '');
  t.is(silentLog.child({ a: 1 }), silentLog);
});

/** A process that says far more than a pipe holds, and one line more when told to go on. */
const chatter = `
  import { openLog } from ${logLines};
  const log = openLog({ level: 'info', json: true });
  for (let i = 0; i < 10_000; i++) log.info('line', { i, filler: 'x'.repeat(200) });
  process.stdout.write('alive');
  process.stdin.once('data', () => {
    log.info('the end');
    process.stdin.destroy();
  });
`;

function isChoked(t: ExecutionContext, text: string): void {
  const lines = text.trim().split('\n');
  t.true(lines.length < 10_000);
  t.true(lines.at(-1)?.includes('the end'));
  t.regex(lines.at(-2) ?? '', /^\d+ log lines were lost$/);
  for (const line of lines.toSpliced(-2, 1)) t.notThrows(() => JSON.parse(line) as unknown);
}

test('a full pipe that nobody reads does not stop a daemon, which says later what was lost (SCENARIOS 244)', async (t) => {
  const path = join(await temporaryDirectory(t), 'pipe');
  await promisify(execFile)('mkfifo', [path]);
  const pipe = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
  t.teardown(() => fs.closeSync(pipe));
  // The pipe as a daemon has it: one at which a write waits.
  const standardError = fs.openSync(path, fs.constants.O_WRONLY);
  const child = spawn(process.execPath, [...loaderWords, '--input-type=module', '-e', chatter], {
    stdio: ['pipe', 'pipe', standardError],
  });
  fs.closeSync(standardError);
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout as Readable, 'data');
  const drain = (): string => {
    const piece = Buffer.alloc(1024 * 1024);
    return piece.toString('utf8', 0, fs.readSync(pipe, piece));
  };
  let text = drain();
  child.stdin?.write('go on');
  await once(child, 'close');
  text += drain();
  isChoked(t, text);
});

test('a full socket that nobody reads does not stop a daemon either', async (t) => {
  const child = spawn(process.execPath, [...loaderWords, '--input-type=module', '-e', chatter]);
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
    // As much as was queued has come, so there is room again.
    if (text.length > 1024 * 1024 && child.stdin.writable) child.stdin.end('go on');
  });
  await once(child, 'close');
  isChoked(t, text);
});

test('a daemon outlives the reader of its log', async (t) => {
  const script = `
    import { openLog } from ${logLines};
    const log = openLog({ level: 'info', json: true });
    process.stdout.write('alive');
    process.stdin.on('data', () => {
      log.info('line');
      process.stdout.write('said');
    });
  `;
  const child = spawn(process.execPath, [...loaderWords, '--input-type=module', '-e', script]);
  t.teardown(() => child.kill('SIGKILL'));
  const said = async () => String((await once(child.stdout, 'data'))[0]);
  t.is(await said(), 'alive');
  child.stderr.destroy();
  // The first line meets the closed pipe; whoever says the others has lived through that.
  for (let line = 0; line < 3; line++) {
    child.stdin.write('go on');
    t.is(await said(), 'said');
  }
  child.stdin.end();
  const [code] = (await once(child, 'close')) as [number];
  t.is(code, 0);
});
