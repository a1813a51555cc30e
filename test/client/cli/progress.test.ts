import test, { type ExecutionContext } from 'ava';
import { shownWidth } from '../../../client/cli/columns.ts';
import { Output } from '../../../client/cli/output.ts';
import { Progress, progressJson, progressLine } from '../../../client/cli/progress.ts';

const half = {
  done: 50 * 2 ** 20,
  total: 100 * 2 ** 20,
  unit: 'bytes',
  seconds: 2,
  also: ['3 of 8 files'],
};
const records = { done: 500, total: 2000, unit: 'records', seconds: 0.5 };

test('a known whole gives bar, rate and what is left', (t) => {
  const line = progressLine(half, 120);
  t.regex(line, /^█{12}░{12}\s+50%  50M of 100M  26 MB\/s  ETA 2\.0 s  3 of 8 files$/);
  const counted = progressLine(records, 120);
  t.regex(counted, /^█{6}░{18}\s+25%  500 of 2000 records  1000\/s  ETA 2\.0 s$/);
});

test('an unknown whole gives figures and no promise', (t) => {
  const line = progressLine({ ...half, total: undefined, also: ['3 files'] }, 120);
  t.is(line, '50M  3 files  26 MB/s  counting …');
  const counted = progressLine({ ...records, total: undefined }, 120);
  t.is(counted, '500 records  1000/s  counting …');
});

test('a line never runs over, and never says more than all', (t) => {
  for (let width = 1; width < 100; width++) {
    const over = { ...half, done: half.done * 5 };
    t.true(shownWidth(progressLine(over, width)) <= width, String(width));
  }
  t.regex(progressLine({ ...half, done: half.done * 5 }, 120), / 100% /);
});

test('nothing at all is done at once', (t) => {
  const nothing = { done: 0, total: 0, unit: 'bytes', seconds: 0 };
  t.regex(progressLine(nothing, 120), /100%  0 of 0  -  ETA -/);
});

test('a program gets the same as one object', (t) => {
  t.deepEqual(progressJson(records), {
    schema: 1,
    event: 'progress',
    done: 500,
    total: 2000,
    unit: 'records',
    seconds: 0.5,
    leftSeconds: 1.5,
  });
  t.like(progressJson({ ...half, total: undefined }), { total: null, leftSeconds: null });
});

const nothing = (): void => undefined;

/** What is written to standard error meanwhile; `seen` resolves when `pattern` has been. */
function listen(t: ExecutionContext, { isTTY }: { readonly isTTY: boolean }) {
  const { stderr } = process;
  const { isTTY: wasTTY } = stderr;
  const write = stderr.write.bind(stderr);
  const heard: string[] = [];
  let pattern: RegExp | undefined;
  let found = nothing;
  stderr.isTTY = isTTY;
  stderr.write = (text: string | Uint8Array) => {
    heard.push(String(text));
    if (pattern?.test(heard.join('')) === true) found();
    return true;
  };
  t.teardown(() => {
    Object.assign(stderr, { write, isTTY: wasTTY });
  });
  const seen = (wanted: RegExp): Promise<void> =>
    new Promise((resolve) => {
      pattern = wanted;
      found = resolve;
      if (wanted.test(heard.join(''))) resolve();
    });
  return { heard, seen };
}

test.serial('with --json an event comes each second, on a line of its own', async (t) => {
  const { heard, seen } = listen(t, { isTTY: true });
  const progress = new Progress(new Output({ json: true }), () => records);
  t.true(progress.shown);
  await seen(/\n/);
  progress.end();
  t.deepEqual(JSON.parse(heard.join('').split('\n')[0] ?? ''), progressJson(records));
});

test.serial(
  'a remark is never written into a bar, and the bar stands below it again',
  async (t) => {
    const { heard, seen } = listen(t, { isTTY: true });
    const output = new Output({ json: false });
    const progress = new Progress(output, () => records);
    await seen(/500 of 2000 records/);
    heard.length = 0;
    output.remark('a remark');
    const [cleared, remark, bar] = heard;
    t.is(cleared, '\r\u001b[K');
    t.is(remark, 'a remark\n');
    t.true(bar?.startsWith('\r\u001b[K') && bar.includes('500 of 2000 records'));
    progress.end();
  },
);

test.serial('elsewhere than on a terminal nothing is told', (t) => {
  const { heard } = listen(t, { isTTY: false });
  const progress = new Progress(new Output({ json: false }), () => records);
  progress.tick();
  progress.end();
  t.false(progress.shown);
  t.deepEqual(heard, []);
});

test('of what nobody can count there are figures, and no promise that it will be', (t) => {
  t.is(progressLine({ ...records, total: null }, 120), '500 records  1000/s');
  t.like(progressJson({ ...records, total: null }), { total: null, leftSeconds: null });
});

test.serial('a result on the same terminal is never written into a bar either', (t) => {
  const { heard } = listen(t, { isTTY: true });
  const { stdout } = process;
  const { isTTY } = stdout;
  const write = stdout.write.bind(stdout);
  t.teardown(() => Object.assign(stdout, { write, isTTY }));
  stdout.write = (text: string | Uint8Array) => {
    heard.push(String(text));
    return true;
  };
  const output = new Output({ json: false });
  const told = (isTerminal: boolean): readonly string[] => {
    stdout.isTTY = isTerminal;
    heard.length = 0;
    output.lines(['a result']);
    return [...heard];
  };
  const progress = new Progress(output, () => records);
  const [cleared, line, bar] = told(true);
  t.is(cleared, '\r\u001b[K');
  t.is(line, 'a result\n');
  t.true(bar?.includes('500 of 2000 records'));
  t.deepEqual(told(false), ['a result\n'], 'what goes to a file needs no bar drawn anew');
  progress.end();
});
