import test from 'ava';
import { parseMountInfo } from '../../../client/cli/mount-table.ts';

test('of all mounts those of ours are found, with blanks in their names', (t) => {
  const text = [
    '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
    '36 22 0:40 / /mnt/a\\040b rw,relatime shared:9 - fuse.weft weft:127.0.0.1:7300 rw,user_id=1000,group_id=100',
    '37 22 0:41 / /mnt/other rw - fuse.sshfs host:/ rw',
    '',
  ].join('\n');
  const owner = { uid: 1000, gid: 100 };
  t.deepEqual(parseMountInfo(text), [
    { directory: '/mnt/a b', source: 'weft:127.0.0.1:7300', owner },
  ]);
});
