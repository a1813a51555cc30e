import { execFile } from 'node:child_process';
import test from 'ava';
import { programWords } from '../../../scripts/project.ts';

const program = programWords('client/cli/main.ts');

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function weft(...args: readonly string[]): Promise<Outcome> {
  const env = { ...process.env, WEFT_URL: '', NO_COLOR: '1' };
  return new Promise((resolve) => {
    execFile(process.execPath, [...program, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

test.serial('help names every group and exits with 0', async (t) => {
  const { code, stdout } = await weft('--help');
  t.is(code, 0);
  for (const title of ['Clusters:', 'Files:', 'Daemons:', 'First steps:']) {
    t.true(stdout.includes(title), title);
  }
});

test.serial('the help of a command says what --json prints', async (t) => {
  const { code, stdout } = await weft('help', 'df');
  t.is(code, 0);
  t.regex(stdout, /-h, --human[^]*--url <url>[^]*--json prints \{totalBytes/);
});

for (const args of [
  [],
  ['nonsense'],
  ['ls', '--nonsense'],
  ['ln', 'one'],
  ['up', '--iods', '0'],
  ['up', '--allow-origin', 'example.org'],
  ['up', '--small-file-bytes', '1M'],
  ['truncate', '/a'],
  ['fsck', '--restore', 'x'],
]) {
  test.serial(
    `weft ${args.join(' ')}: a usage error, exit code 2, nothing on standard output`,
    async (t) => {
      const { code, stdout, stderr } = await weft(...args);
      t.is(code, 2, stderr);
      t.is(stdout, '');
      t.regex(stderr, /weft: EUSAGE: .*\n {2}effect: nothing was done\n {2}try: {4}/s);
    },
  );
}

test.serial('with --json failures are objects too, on standard output', async (t) => {
  const usage = await weft('--json', 'nonsense');
  t.is(usage.code, 2);
  t.like(JSON.parse(usage.stdout), { schema: 1, error: { code: 'EUSAGE', path: null } });
  const failed = await weft('ls', '--json');
  t.is(failed.code, 1);
  t.like(JSON.parse(failed.stdout), { error: { code: 'EINVAL', weftCode: 'WEFT_E_BAD_URL' } });
  t.is(failed.stderr, '');
});

test.serial('without a cluster the advice says how to name one', async (t) => {
  const { code, stderr } = await weft('status');
  t.is(code, 1);
  t.regex(stderr, /WEFT_E_BAD_URL \(EINVAL\): no cluster is named[^]*weft up/);
});

test.serial('a ping that fails names the phase, and is exit code 1', async (t) => {
  const { code, stdout } = await weft('ping', '--url', 'ws://127.0.0.1:1');
  t.is(code, 1);
  t.regex(stdout, /here -> mgr {2}FAILED {2}resolve [\d.]+ ms, connect: ECONNREFUSED: /);
});

test.serial('programs of their own get all that follows their name', async (t) => {
  const { code, stdout } = await weft('mgr', '--help');
  t.is(code, 0);
  t.regex(stdout, /--print-ready/);
});
