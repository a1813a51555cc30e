/** A mount from its beginning to its end: a cluster, a directory, and the kernel in between. */
import { FsError, ProtocolError } from '../../shared/errno.ts';
import type { MetricOf, Readings } from '../../shared/metrics/readings.ts';
import type { Revoke } from '../caching.ts';
import type { FileSystem } from '../file-system.ts';
import { HandleAccess, type LendWish } from '../handle-access.ts';
import { callerName, FuseDevice, isDying, type Receive, type Waiting } from './device.ts';
import { DirectoryStreams } from './directory-streams.ts';
import { handlers } from './handlers.ts';
import { IdleReaders } from './idle-readers.ts';
import { LikelyCopies } from './likely-copies.ts';
import { KernelCache } from './kernel-cache.ts';
import { type MountMeters, readMount } from './metrics.ts';
import { notification } from './message.ts';
import { NodeTable } from './node-table.ts';
import { OpenFiles } from './open-files.ts';
import { FuseSession } from './session.ts';
import { SmallContents } from './small-contents.ts';
import { SmallReads } from './small-reads.ts';
import { StreamReads } from './stream-reads.ts';
import type { Volume } from './volume.ts';

export interface MountOptions {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly source: string;
  /** Of mount(8): `ro`, `noexec`, `nosuid` … */
  readonly options: readonly string[];
  /** The kernel may keep pages of files that nobody writes (decision 16). */
  readonly keepsPages: boolean;
  /** What of new things the mount keeps to itself for a moment. */
  readonly lends: LendWish;
  /** How long a program waits while a daemon is away, before it gets ETIMEDOUT. */
  readonly deadlineMs: number;
  readonly waiting?: Waiting | undefined;
  /** Count what is asked here, and of daemons. */
  readonly meters?: MountMeters | undefined;
}

export interface Mount {
  /** Resolves when it was unmounted. @throws FsError when the device was lost */
  readonly ended: Promise<void>;
  /** What the meters have counted, and how it is with the mount now. */
  readonly figures: (meters: MountMeters) => Readings<MetricOf<'mount'>>;
}

/**
 * Mounts a cluster; returns when the kernel has it. The session must be root's with the mgr,
 * because the kernel decides who may do what.
 * @throws FsError EPERM (not root there, or not allowed here), EACCES, EBUSY, ENOENT …
 */
export async function mountCluster(options: MountOptions): Promise<Mount> {
  const { fileSystem, directory, source, keepsPages, lends, deadlineMs, meters } = options;
  const { session } = fileSystem;
  session.meter = meters?.calls;
  requireRoot(session.session.uid);
  const { runtime } = session;
  const nodes = new NodeTable();
  const notify = (code: number, content: Uint8Array) => device.tell(notification(code, content));
  const kernelCache = new KernelCache({ clock: runtime.clock, nodes, notify });
  const revoke: Revoke = (handles) => kernelCache.revoke(handles);
  const access = new HandleAccess({ fileSystem, deadlineMs, revoke, lends });
  const volume = volumeOf(access, { nodes, kernel: kernelCache });
  const meter = meters?.operations;
  const kernel = new FuseSession({
    runtime,
    volume,
    handlers,
    isDying,
    callerName,
    meter,
    keepsPages,
    device: () => device,
  });
  session.waitsAlso(() => kernel.waits());
  const receive: Receive = (message) => {
    try {
      return kernel.receive(message);
    } catch (error) {
      // What the kernel says makes no sense: better no mount than a wrong one.
      if (!(error instanceof ProtocolError)) throw error;
      device.close(new FsError('EPROTO', { what: error.message, cause: error }));
      return undefined;
    }
  };
  const wish = { directory, source, options: options.options };
  const device = await FuseDevice.mount(wish, receive, options.waiting);
  const ended = async (): Promise<void> => {
    try {
      await device.ended;
    } finally {
      await access.settle(endTimeoutMs);
    }
  };
  return {
    ended: ended(),
    figures: (counted) => readMount({ fileSystem, kernel, volume, meters: counted }),
  };
}

function volumeOf(access: HandleAccess, parts: Pick<Volume, 'nodes' | 'kernel'>): Volume {
  const { clock, log } = access.session.runtime;
  const files = new OpenFiles();
  const contents = new SmallContents();
  return {
    access,
    ...parts,
    files,
    idleReaders: new IdleReaders(clock),
    copies: new LikelyCopies(),
    contents,
    smallReads: new SmallReads({ access, files, contents }),
    streamReads: new StreamReads(clock),
    directories: new DirectoryStreams(),
    unheard: (what, { message }) => {
      log.warn(what, { why: message });
    },
  };
}

/**
 * What the mgr cannot be told by then is lost: names and bytes of the last moment. That files are closed it
 * learns when the lease of the session ends.
 */
const endTimeoutMs = 10_000;

function requireRoot(uid: number): void {
  if (uid === 0) return;
  throw new FsError('EPERM', {
    what: `the kernel decides who may do what in a mount, but the mgr takes it for uid ${uid}: use the key of the cluster, and no root squash`,
  });
}
