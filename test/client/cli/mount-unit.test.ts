import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import test from 'ava';
import { mountUnit } from '../../../client/cli/mount-unit.ts';
import { programWords } from '../../../scripts/project.ts';

test('a unit runs the words that it was given, whatever is in them', (t) => {
  const unit = mountUnit('/mnt/50%', ['/usr/bin/node', 'a "b" \\ $c 1%', 'mount'], '/srv/a');
  t.true(unit.includes('Description=weft on /mnt/50%%'));
  t.true(unit.includes('WorkingDirectory=/srv/a'));
  t.true(unit.includes('ExecStart="/usr/bin/node" "a \\"b\\" \\\\ $$c 1%%" "mount"'));
});

(process.platform === 'linux' ? test : test.skip)(
  'weft mount --print-systemd prints a unit for the cluster and directory given, and mounts nothing',
  async (t) => {
    const url = 'ws://127.0.0.1:1?key=/etc/weft.key';
    const words = [
      ...programWords('client/cli/main.ts'),
      'mount',
      '--print-systemd',
      tmpdir(),
      '--url',
      url,
    ];
    const { stdout } = await promisify(execFile)(process.execPath, words);
    t.regex(stdout, /^ExecStart=.*"mount" ".*" "--foreground" "--url" "ws:[^"]*weft.key"$/m);
  },
);
