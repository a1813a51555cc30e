/**
 * How a mount comes about and goes, beside the requests that it serves: as root by mount(8), as
 * anybody else by fusermount3, the set-uid program of libfuse.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type Errno, FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';

export interface MountWish {
  readonly directory: string;
  /** What `mount` and `df` show as the device. */
  readonly source: string;
  /** Of mount(8), beside our own: `ro`, `noexec`, `nosuid` … */
  readonly options: readonly string[];
}

/** What mounts for whoever is not root. */
export interface UserMounter {
  readonly perl: string;
  readonly fusermount: string;
  /** The number of recvmsg(2) here. */
  readonly recvmsg: number;
}

/** Whoever mounts. */
const ownOptions = ['default_permissions', `max_read=${limits.fuseTransferBytes}`];

/**
 * Mounts what is served through a descriptor of /dev/fuse.
 * @param fd serves nothing yet
 * @throws FsError EBUSY, EPERM, ENOENT, ENOSYS with what the system said
 */
export async function mount(wish: MountWish, fd: number): Promise<void> {
  await (isRoot() ? mountAsRoot(wish, fd) : mountAsUser(wish, fd));
}

/** Unmounts; with `lazy` also what is in use, which ends with its last user. */
export async function unmount(directory: string, { lazy }: { lazy: boolean }): Promise<void> {
  if (isRoot()) await run('umount', ['-i', ...(lazy ? ['-l'] : []), '--', directory]);
  else await run('fusermount3', ['-u', ...(lazy ? ['-z'] : []), '--', directory]);
}

/** @throws FsError ENOENT, EPERM, ENOSYS: what this host lacks for mounts without root */
export async function findUserMounter(): Promise<UserMounter> {
  const recvmsg = recvmsgNumbers[process.arch];
  if (recvmsg === undefined) {
    throw new FsError('ENOSYS', { what: `only root can mount on ${process.arch}` });
  }
  const perl = await findProgram('perl');
  if (perl === undefined) throw new FsError('ENOENT', { what: 'there is no perl: install perl' });
  const fusermount = await findProgram('fusermount3');
  if (fusermount === undefined) {
    throw new FsError('ENOENT', { what: 'there is no fusermount3: install fuse3' });
  }
  const { mode, uid } = await stat(fusermount);
  if (uid === 0 && (mode & setUid) !== 0) return { perl, fusermount, recvmsg };
  const what = `${fusermount} is not set-uid root: chown root ${fusermount}; chmod u+s ${fusermount}`;
  throw new FsError('EPERM', { what });
}

/** @returns where a program is that root or a user may start; `undefined` when it is nowhere */
export async function findProgram(name: string): Promise<string | undefined> {
  const directories = (process.env['PATH'] ?? '').split(delimiter).concat('/sbin', '/usr/sbin');
  for (const directory of directories) {
    const path = join(directory, name);
    const isHere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isHere) return path;
  }
  return undefined;
}

// ---------------------------------------------------------------- inner parts

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

async function mountAsRoot({ directory, source, options }: MountWish, fd: number): Promise<void> {
  const own = ['fd=3', 'rootmode=40000', 'user_id=0', 'group_id=0', 'allow_other', ...ownOptions];
  const words = ['-i', '-t', 'fuse.weft', '-o', [...own, ...options].join(',')];
  await run('mount', [...words, '--', source, directory], fd);
}

/** What fusermount3 allows a user, and adds for him (nosuid, nodev), it decides by itself. */
async function mountAsUser({ directory, source, options }: MountWish, fd: number): Promise<void> {
  if (options.includes('auto_unmount')) {
    const what =
      'auto_unmount would let programs write below a mount that has died: weft umount --stale';
    throw new FsError('EINVAL', { what });
  }
  const { perl, fusermount, recvmsg } = await findUserMounter();
  const own = [`fsname=${source.replace(/[\\,]/g, '\\$&')}`, 'subtype=weft', ...ownOptions];
  const words = [fusermount, '-o', [...own, ...options].join(','), '--', directory];
  await run(perl, ['-e', joinUserMount, String(recvmsg), ...words], fd);
}

const setUid = 0o4000;

const recvmsgNumbers: Partial<Record<NodeJS.Architecture, number>> = { x64: 47, arm64: 212 };

/**
 * fusermount3 opens /dev/fuse itself, and gives that descriptor away over a socket from which Node
 * takes none. What it has mounted our own one, descriptor 3, can join (FUSE_DEV_IOC_CLONE).
 * Arguments: number of recvmsg, fusermount3 and its arguments.
 */
const joinUserMount = `
  use strict;
  use Socket;
  $^F = 255; # Nothing is closed for the program that is started.
  my ($recvmsg, @command) = @ARGV;
  socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, 0) or die "socketpair: $!\\n";
  defined(my $child = fork) or die "fork: $!\\n";
  if ($child == 0) {
    close $ours;
    $ENV{_FUSE_COMMFD} = fileno $theirs;
    exec @command or die "$command[0]: $!\\n";
  }
  close $theirs;
  my ($byte, $control) = ("\\0", "\\0" x 24);
  my $part = pack 'PQ', $byte, 1;
  my $message = pack 'QQPQPQQ', 0, 0, $part, 1, $control, length $control, 0;
  my $received = syscall $recvmsg + 0, fileno $ours, $message, 0;
  waitpid $child, 0;
  exit 1 if $?;
  $received == 1 or die "no descriptor came from $command[0]\\n";
  open my $fuse, '+<&=', 3 or die "descriptor 3: $!\\n";
  ioctl $fuse, 0x8004e500, substr $control, 16, 4 or die "/dev/fuse: $!\\n";
`;

/** @param fd becomes descriptor 3 of the program @throws FsError with what the program said */
async function run(program: string, args: readonly string[], fd?: number): Promise<void> {
  const stdio = ['ignore', 'ignore', 'pipe', ...(fd === undefined ? [] : [fd])] as const;
  const env = { ...process.env, LC_ALL: 'C' };
  const child = spawn(program, args, { stdio: [...stdio], cwd: '/', env });
  const said: Buffer[] = [];
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === 0) return;
  const text = Buffer.concat(said).toString('utf8').trim() || `${program} ended with ${code}`;
  const [, errno = 'EPERM', advice] = meanings.find(([words]) => words.test(text)) ?? [];
  throw new FsError(errno, { what: advice === undefined ? text : `${text}: ${advice}` });
}

/** What their words mean, and what helps. */
const meanings: readonly (readonly [words: RegExp, errno: Errno, advice?: string])[] = [
  [/busy/, 'EBUSY'],
  [/no write access|not owned by user/, 'EACCES', 'mount on a directory of your own'],
  [/not found in \/etc\/mtab/, 'EPERM', 'only root, or who has mounted it, can take it away'],
  [/determine username/, 'EPERM', 'only who has a name on this host can mount without root'],
  [/not permitted/, 'EPERM', 'a container must be allowed to mount (CAP_SYS_ADMIN)'],
];
