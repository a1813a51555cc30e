/** `weft mount` without root: all that is done here a user does, unless it says otherwise. */
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { ExecutionContext } from 'ava';
import { until } from './cluster-fixture.ts';
import { nameless, OrdinaryUser, root, stranger, user, userMountTest } from './ordinary-user.ts';
import { made, undone } from './keepsafe.ts';

/** @returns the process that serves the mount */
async function mount(t: ExecutionContext, u: OrdinaryUser, ...words: readonly string[]) {
  const { code, stdout, stderr } = await u.weft('mount', u.path('mnt'), '--json', ...words);
  if (code !== 0) throw new Error(`weft mount: ${stderr}${stdout}`);
  const { pid, repaired } = JSON.parse(stdout) as { pid: number; repaired: boolean };
  made('pid', pid);
  t.teardown(() => {
    if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    undone('pid', pid);
  });
  return { pid, repaired };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const mounted = 'grep " $HOME/mnt " /proc/mounts || true';

userMountTest('a user mounts a cluster of his own, works there, and unmounts it', async (t) => {
  const u = await OrdinaryUser.start(t);
  await u.up();
  await u.sh('mkdir mnt');
  const { pid } = await mount(t, u);
  t.regex(await readFile(`/proc/${pid}/status`, 'utf8'), /^Uid:(\t65534){4}$/m, 'all of it');

  const [source, , type, options = ''] = (await u.sh(mounted)).split(' ');
  t.is(source, `weft:${new URL(u.url).host}`);
  t.is(type, 'fuse.weft');
  const given = options.split(',');
  for (const option of ['user_id=65534', 'group_id=65534', 'default_permissions', 'nosuid']) {
    t.true(given.includes(option), option);
  }
  t.false(given.includes('allow_other'));

  await u.sh('head -c 3000000 /dev/urandom > data; cp data mnt/f; cmp data mnt/f; mkdir mnt/d');
  await u.sh('mv mnt/f mnt/d/g; ln -s d/g mnt/l; cmp data mnt/l; chmod 600 mnt/d/g');
  t.is(await u.sh('stat -c "%n %u:%g %a" mnt/d/*'), 'mnt/d/g 65534:65534 600\n');
  t.is(await u.sh('ls mnt'), 'd\nl\n');
  t.regex((await u.try(`chown ${stranger.uid} mnt/d/g`)).stderr, /not permitted/);
  for (const who of [root, stranger]) t.not((await u.try('ls mnt', who)).code, 0);

  const words = ['umount', u.path('mnt')] as const;
  const busy = await u.try(`exec 3< mnt/d/g; ${u.command(...words).join(' ')}`);
  t.regex(busy.stderr, /^weft: EBUSY: /);
  t.is((await u.weft(...words)).code, 0);
  t.is(await u.sh(mounted), '');
  await until(() => !isRunning(pid));
  t.is((await u.weft(...words)).code, 1, 'it is no mount any more');
  t.regex((await u.weft('ls', '/d')).stdout, /^g$/m);
});

userMountTest('in the foreground a mount of a user ends with Ctrl-C', async (t) => {
  const u = await OrdinaryUser.start(t);
  await u.up();
  await u.sh('mkdir mnt');
  const child = u.start(user, u.command('mount', '-f', u.path('mnt'), '-o', 'ro,noexec,powersave'));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    t.regex(line, /is mounted on/);
    break;
  }
  t.regex(await u.sh(mounted), / ro,nosuid,nodev,noexec,/);
  t.regex((await u.try('touch mnt/f')).stderr, /Read-only/);
  child.kill('SIGINT');
  t.is(await ended, 0);
  t.is(await u.sh(mounted), '');
});

userMountTest('a dead mount of a user is replaced or taken away by him, or by root', async (t) => {
  const u = await OrdinaryUser.start(t);
  await u.up();
  await u.sh('mkdir mnt');
  const isDead = async () => /not connected/.test((await u.try('stat mnt/f')).stderr);
  const first = await mount(t, u);
  await u.sh('echo kept > mnt/f');
  t.is((await u.weft('mount', u.path('mnt'))).code, 1, 'a living one is not replaced');
  process.kill(first.pid, 'SIGKILL');
  await until(isDead);

  const second = await mount(t, u);
  t.true(second.repaired);
  t.is(await u.sh('cat mnt/f'), 'kept\n');
  process.kill(second.pid, 'SIGKILL');
  await until(isDead);
  t.true((await u.weft('umount', '--stale', '--json')).stdout.includes(u.path('mnt')));
  t.is(await u.sh(mounted), '');

  const third = await mount(t, u);
  await u.sh('chmod 755 .');
  const nothing = '"unmounted":[]';
  t.true((await u.weftAs(root, 'umount', '--stale', '--json')).stdout.includes(nothing));
  process.kill(third.pid, 'SIGKILL');
  await until(isDead);
  t.true((await u.weftAs(stranger, 'umount', '--stale', '--json')).stdout.includes(nothing));
  const { stderr } = await u.weftAs(stranger, 'umount', u.path('mnt'));
  t.regex(stderr, /^weft: EPERM: .*: only root, or who has mounted it, can take it away/);
  t.true((await u.weftAs(root, 'umount', '--stale', '--json')).stdout.includes(u.path('mnt')));
  t.is(await u.sh(mounted), '');
});

userMountTest('others may use a mount of a user when root has allowed that', async (t) => {
  const u = await OrdinaryUser.start(t);
  await u.up();
  await u.sh('mkdir mnt; chmod 755 .');
  const words = ['mount', u.path('mnt'), '-o', 'allow_other'] as const;
  const refused = await u.weft(...words);
  t.is(refused.code, 1);
  t.regex(refused.stderr, /^weft: EPERM: .*allow_other.*user_allow_other.*\/etc\/fuse\.conf/);
  const automatic = await u.weft('mount', u.path('mnt'), '-o', 'auto_unmount');
  t.regex(automatic.stderr, /^weft: EINVAL: auto_unmount/);
  t.is(await u.sh(mounted), '');

  await u.sh('echo user_allow_other > host/fuse.conf', root);
  await mount(t, u, '-o', 'allow_other');
  await u.sh('chmod 1777 mnt; echo mine > mnt/mine; chmod 600 mnt/mine');
  await u.sh('echo text > mnt/theirs; cat mnt/theirs', stranger);
  t.is(await u.sh('stat -c %u mnt/mine mnt/theirs'), `${user.uid}\n${stranger.uid}\n`);
  t.regex((await u.try('cat mnt/mine', stranger)).stderr, /Permission denied/);
  t.is((await u.weft('umount', u.path('mnt'))).code, 0);
});

userMountTest('what a user lacks for a mount is named, and weft doctor tells it too', async (t) => {
  const u = await OrdinaryUser.start(t);
  await u.up();
  await u.sh('mkdir mnt');
  await u.sh('mkdir host/bin host/bin/theirs', root);
  const path = u.path('host/bin');
  const attempt = async () => (await u.weftAmong(path, 'mount', u.path('mnt'))).stderr;
  const diagnosis = async () => {
    const { stdout } = await u.weftAmong(path, 'doctor', '--json', '--data', u.home);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; verdict: string }[] };
    return JSON.stringify(checks.find(({ name }) => name === 'mount'));
  };

  t.regex(await attempt(), /^weft: ENOENT: there is no perl: install perl/);
  t.regex(await diagnosis(), /skipped.*there is no perl/);
  await u.sh('ln -s "$(command -v perl)" host/bin/', root);
  t.regex(await attempt(), /^weft: ENOENT: there is no fusermount3: install fuse3/);
  t.regex(await diagnosis(), /skipped.*there is no fusermount3/);
  await u.sh('cp "$(command -v fusermount3)" host/bin/; chmod 755 host/bin/fusermount3', root);
  t.regex(await attempt(), /^weft: EPERM: .*bin\/fusermount3 is not set-uid root: .*chmod u\+s/);
  t.regex(await diagnosis(), /skipped.*is not set-uid root/);
  await u.sh('chmod 4755 host/bin/fusermount3', root);
  t.regex(await diagnosis(), /"verdict":"ok"/);

  await u.sh('chmod 600 host/fuse', root);
  t.regex(await attempt(), /^weft: EACCES: .*\/dev\/fuse.*: chmod a\+rw \/dev\/fuse, as root/);
  t.regex(await diagnosis(), /skipped.*\/dev\/fuse is forbidden/);
  await u.sh('chmod 666 host/fuse', root);
  const elsewhere = await u.weftAmong(path, 'mount', u.path('host/bin/theirs'));
  t.regex(elsewhere.stderr, /^weft: EACCES: .*host\/bin\/theirs: mount on a directory of your own/);
  await u.sh('chmod 755 . mnt; chmod 644 cluster.key; mkdir -m 777 open');
  const unknown = await u.weftAs(nameless, 'mount', u.path('open'));
  t.regex(unknown.stderr, /^weft: EPERM: .*: only who has a name on this host/);
  t.is((await u.weftAmong(path, 'mount', u.path('mnt'))).code, 0, 'nothing else is needed');
  t.is((await u.weftAmong(path, 'umount', u.path('mnt'))).code, 0);
});
