import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import test from 'ava';
import { UsageError } from '../../../client/cli/arguments.ts';
import { fstabLine, helperWords } from '../../../client/cli/mount-helper.ts';
import { programWords } from '../../../scripts/project.ts';

const url = 'ws://127.0.0.1:1?key=/etc/weft.key';

test('what mount(8) says becomes words of weft mount', (t) => {
  t.deepEqual(helperWords([url, '/mnt/lab']), ['mount', '/mnt/lab', '--url', url]);
  t.deepEqual(
    helperWords([url, '/mnt', '-sv', '-o', 'rw,_netdev,nofail,timeout=9,x-systemd.a=b,noexec']),
    ['mount', '/mnt', '--url', url, '--timeout', '9', '--options', 'rw,noexec'],
  );
  t.deepEqual(helperWords(['-o', 'defaults,key=/a=b', '-t', 'weft', url, '/mnt']), [
    'mount',
    '/mnt',
    '--url',
    url,
    '--key',
    '/a=b',
  ]);
  t.is(helperWords([url, '/mnt', '-f']), undefined);
  for (const wrong of [[], [url], [url, '/a', '/b']]) {
    t.throws(() => helperWords(wrong), { instanceOf: UsageError });
  }
});

test('a line of fstab keeps its fields apart', (t) => {
  const wish = { url, directory: '/mnt/a b\\c', timeout: '5', options: 'ro,noexec' };
  t.is(fstabLine(wish), `${url} /mnt/a\\040b\\134c weft _netdev,nofail,timeout=5,ro,noexec 0 0`);
  const plain = fstabLine({ ...wish, directory: '/mnt', timeout: undefined, options: undefined });
  t.is(plain, `${url} /mnt weft _netdev,nofail 0 0`);
});

(process.platform === 'linux' ? test : test.skip)('both programs run', async (t) => {
  const run = promisify(execFile);
  const node = (...words: readonly string[]) => run(process.execPath, words);
  const { stdout } = await node(
    ...programWords('client/cli/main.ts'),
    'mount',
    '--print-fstab',
    tmpdir(),
    '--url',
    url,
  );
  t.regex(stdout, /^ws:\S+ \S+ weft _netdev,nofail 0 0\n$/);
  const helper = programWords('client/cli/mount-weft/main.ts');
  await node(...helper, url, tmpdir(), '-f');
  await t.throwsAsync(node(...helper, url), {
    code: 1,
    message: /takes a URL and a directory/,
  } as never);
  const options = ['-o', 'timeout=1'];
  await t.throwsAsync(node(...helper, url, '/nowhere', ...options), { code: 32 } as never);
});
