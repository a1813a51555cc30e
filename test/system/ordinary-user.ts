/**
 * An ordinary user of this host, with a home and a mount namespace of his own: what he mounts is seen
 * nowhere else and gone with him, and the device and the settings of FUSE are as a test wants them.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { ExecutionContext } from 'ava';
import { clusterDirectory, type Outcome, type UpReport } from './cli-runner.ts';
import { builtProgram } from './daemon.ts';
import { kept } from './keepsafe.ts';
import { mountTest } from './mounted.ts';

export const user = { uid: 65_534, gid: 65_534 } as const;
/** Somebody else: `daemon`, on every Linux. */
export const stranger = { uid: 1, gid: 1 } as const;
/** Whom `/etc/passwd` does not know. */
export const nameless = { uid: 65_533, gid: 65_533 } as const;
export const root = { uid: 0, gid: 0 } as const;

interface Who {
  readonly uid: number;
  readonly gid: number;
}

/** A test that needs mounts without root: skipped by name where there can be none. */
export function userMountTest(
  title: string,
  implementation: (t: ExecutionContext) => Promise<void>,
): void {
  const programs = ['fusermount3', 'perl', 'unshare', 'nsenter', 'setpriv'];
  mountTest(title, implementation, isReadable() ? programs : ['checkout that users can read']);
}

/** Whether others than root can run what was built here. */
function isReadable(): boolean {
  const look = `fs.accessSync(${JSON.stringify(builtProgram('client/cli/main.js'))})`;
  try {
    execFileSync(process.execPath, ['-e', look], { ...user, cwd: '/', stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The namespace is there as long as this waits. @param $1 where its own files are */
const prepare = `
  mkdir "$1"
  mount -t tmpfs -o mode=755,dev,suid none "$1"
  mknod "$1/fuse" c 10 229
  chmod 666 "$1/fuse"
  mount --bind "$1/fuse" /dev/fuse
  touch "$1/fuse.conf"
  mount --bind "$1/fuse.conf" /etc/fuse.conf
  echo ready
  read -r _`;

export class OrdinaryUser {
  /** Home, and where his cluster keeps its data. */
  readonly home: string;
  /** Root's, below the home: programs, the device and the settings of the namespace. */
  readonly host: string;
  readonly #namespace: number;
  #url = '';

  private constructor(home: string, host: string, namespace: number) {
    this.home = home;
    this.host = host;
    this.#namespace = namespace;
  }

  static async start(t: ExecutionContext): Promise<OrdinaryUser> {
    const home = await clusterDirectory(t);
    const host = join(home, 'host');
    const words = ['--mount', 'sh', '-euc', prepare, 'sh', host];
    const child = kept(spawn('unshare', words, { stdio: ['pipe', 'pipe', 'inherit'] }));
    t.teardown(async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    });
    const ended = once(child, 'exit').then(() => {
      throw new Error('no mount namespace could be made');
    });
    ended.catch(() => undefined); // Of interest only before it is ready.
    await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended]);
    await chown(home, user.uid, user.gid);
    return new OrdinaryUser(home, host, child.pid ?? 0);
  }

  get url(): string {
    return this.#url;
  }

  /** Starts a cluster of his own, for `weft`. */
  async up(): Promise<void> {
    const words = ['--data', this.home, '--port', '0', '--iods', '1', '--detach', '--json'];
    const { code, stdout, stderr } = await this.weft('up', ...words);
    if (code !== 0) throw new Error(`weft up: ${stderr}${stdout}`);
    this.#url = (JSON.parse(stdout) as UpReport).url;
  }

  weft(...words: readonly string[]): Promise<Outcome> {
    return this.weftAs(user, ...words);
  }

  weftAs(who: Who, ...words: readonly string[]): Promise<Outcome> {
    return outcomeOf(this.start(who, this.command(...words)));
  }

  /** In a path in which there are only these programs. */
  weftAmong(path: string, ...words: readonly string[]): Promise<Outcome> {
    return outcomeOf(this.start(user, ['env', `PATH=${path}`, ...this.command(...words)]));
  }

  /** @returns what a script printed that stops at its first failure @throws Error when it fails */
  async sh(script: string, who: Who = user): Promise<string> {
    const { code, stdout, stderr } = await this.try(script, who);
    if (code !== 0) throw new Error(`${script}: ${stderr}`);
    return stdout;
  }

  try(script: string, who: Who = user): Promise<Outcome> {
    return outcomeOf(this.start(who, ['sh', '-euc', `cd "$HOME"\n${script}`]));
  }

  /** Signals to what is started reach the program itself. */
  start({ uid, gid }: Who, words: readonly string[]) {
    const enter = [`--target=${this.#namespace}`, '--mount', '--'];
    const become = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'];
    return kept(
      spawn('nsenter', [...enter, ...become, ...words], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          HOME: this.home,
          TMPDIR: this.home,
          XDG_RUNTIME_DIR: this.home,
          NO_COLOR: '1',
          WEFT_URL: this.#url,
        },
      }),
    );
  }

  /** In his home. */
  path(...names: readonly string[]): string {
    return join(this.home, ...names);
  }

  /** `weft` as words of a command line. */
  command(...words: readonly string[]): readonly string[] {
    return [process.execPath, builtProgram('client/cli/main.js'), ...words];
  }
}

async function outcomeOf(child: ReturnType<OrdinaryUser['start']>): Promise<Outcome> {
  const closed = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await closed;
  return { code: child.exitCode, stdout, stderr };
}
