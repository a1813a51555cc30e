/** Mounts of ours as the kernel lists them, dead ones too. */
import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

export interface ListedMount {
  readonly directory: string;
  readonly source: string;
  /** Who mounted it. */
  readonly owner: { readonly uid: number; readonly gid: number };
}

const aliveMs = 2000;

/** @param text of /proc/self/mountinfo (proc(5)) */
export function parseMountInfo(text: string): ListedMount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [type, source = '', options = ''] = after.split(' ');
    const directory = before.split(' ')[4];
    if (type !== 'fuse.weft' || directory === undefined) return [];
    const owner = { uid: idOf('user_id', options), gid: idOf('group_id', options) };
    return [{ directory: unescaped(directory), source: unescaped(source), owner }];
  });
}

/** What is on top there; `undefined` when it is no mount of ours. */
export async function mountOn(directory: string): Promise<ListedMount | undefined> {
  return (await listMounts()).findLast((mount) => mount.directory === directory);
}

/** In the order in which they were mounted. */
export async function listMounts(): Promise<readonly ListedMount[]> {
  return parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'));
}

/** The directory as the kernel lists it. Of a mount, which may hang, only what is above is asked. */
export async function mountPoint(path: string): Promise<string> {
  const absolute = resolve(path);
  const listed = join(await realpath(dirname(absolute)), basename(absolute));
  return (await mountOn(listed)) === undefined ? realpath(absolute) : listed;
}

/**
 * True when the process that served the mount is gone. One that does not answer is alive: it may
 * wait for its cluster. A process of its own asks, because one that waits can only be killed; as the
 * owner of the mount, because the kernel tells others nothing, not even root.
 */
export async function isDead({ directory, owner }: ListedMount): Promise<boolean> {
  const uid = process.getuid?.();
  if (uid !== 0 && uid !== owner.uid) return false;
  const asOwner = uid === 0 ? owner : {};
  const options = { timeout: aliveMs, killSignal: 'SIGKILL', cwd: '/', ...asOwner } as const;
  return new Promise((resolve) => {
    execFile(process.execPath, ['-e', looking, directory], options, (error) => {
      resolve(error?.code === deadStatus);
    });
  });
}

const deadStatus = 9;
// Attributes the kernel may know without asking; the space it asks for each time.
const looking = `fs.statfs(process.argv[1], (error) => {
  process.exit(error?.code === 'ENOTCONN' ? ${deadStatus} : 0);
})`;

function idOf(name: string, options: string): number {
  return Number(new RegExp(`(?:^|,)${name}=(\\d+)`).exec(options)?.[1] ?? 0);
}

/** Blanks and the like are written as octal numbers. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
