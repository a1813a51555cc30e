/** Mounts of ours as the kernel lists them, dead ones too. */
import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

export interface ListedMount {
  readonly directory: string;
  readonly source: string;
}

const aliveMs = 2000;

/** @param text of /proc/self/mountinfo (proc(5)) */
export function parseMountInfo(text: string): ListedMount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [type, source = ''] = after.split(' ');
    const directory = before.split(' ')[4];
    if (type !== 'fuse.weft' || directory === undefined) return [];
    return [{ directory: unescaped(directory), source: unescaped(source) }];
  });
}

/** In the order in which they were mounted. */
export async function listMounts(): Promise<readonly ListedMount[]> {
  return parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'));
}

/** The directory as the kernel lists it. Of a mount, which may hang, only what is above is asked. */
export async function mountPoint(path: string): Promise<string> {
  const absolute = resolve(path);
  const listed = join(await realpath(dirname(absolute)), basename(absolute));
  const isMount = (await listMounts()).some(({ directory }) => directory === listed);
  return isMount ? listed : realpath(absolute);
}

/**
 * True when the process that served the mount is gone. One that does not answer is alive: it may
 * wait for its cluster. A process of its own asks, because one that waits can only be killed.
 */
export async function isDead(directory: string): Promise<boolean> {
  const options = { timeout: aliveMs, killSignal: 'SIGKILL' } as const;
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

/** Blanks and the like are written as octal numbers. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
