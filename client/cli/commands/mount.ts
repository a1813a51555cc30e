/** `weft mount`: a cluster as a directory of this host, in the foreground or on its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseClusterUrl } from '../../../shared/cluster-url.ts';
import { limits } from '../../../shared/limits.ts';
import { boundCpuLatency } from '../../../shared/runtime/node/loop-waits.ts';
import { makeNodeRuntime } from '../../../shared/runtime/node.ts';
import { connect } from '../../connect.ts';
import { mountCluster } from '../../fuse/mount.ts';
import { unmount } from '../../fuse/mounting.ts';
import type { Arguments } from '../arguments.ts';
import type { Context, Run } from '../command.ts';
import { CommandError } from '../failure.ts';
import { mountFlags } from '../installation.ts';
import { Interrupt } from '../local-cluster/interrupt.ts';
import { isDead, listMounts, mountOn, mountPoint } from '../mount-table.ts';
import { fstabLine } from '../mount-helper.ts';
import { MountMetrics } from '../mount-metrics.ts';
import { mountUnit } from '../mount-unit.ts';
import { clientTraceDirectory } from '../trace/trace-sources.ts';

/** Among the options of mount(8): ours. */
const keepPages = 'keep_pages';
const powerSave = 'powersave';
/** Of which the kernel does not know. */
const ownOptions: ReadonlySet<string> = new Set([keepPages, powerSave]);

interface Mounted {
  readonly directory: string;
  readonly source: string;
  readonly pid: number;
  /** A dead mount was in its place. */
  readonly repaired: boolean;
  /** Where its metrics are; `null`: it has none. */
  readonly metrics: string | null;
}

export const run: Run = async (given, context) => {
  if (process.platform !== 'linux') {
    throw new CommandError('ENOSYS', 'weft mount is for Linux', {
      advice: 'use weft cp, or the library',
    });
  }
  const directory = await mountPoint(given.operand(0));
  if (given.flag('printSystemd')) {
    printUnit(directory, given, context);
    return;
  }
  if (given.flag('printFstab')) {
    printFstab(directory, given, context);
    return;
  }
  const interrupt = new Interrupt();
  try {
    const mount = given.flag('foreground') ? serve : mountInBackground;
    return await mount(directory, given, { context, interrupt });
  } catch (error) {
    interrupt.signal.throwIfAborted();
    throw error;
  } finally {
    interrupt.end();
  }
};

interface Parts {
  readonly context: Context;
  readonly interrupt: Interrupt;
}

async function serve(directory: string, given: Arguments, parts: Parts): Promise<void> {
  const { url, connectOptions } = parts.context;
  const repaired = await clear(directory);
  const name = `weft mount ${directory} (pid ${process.pid})`;
  const runtime = makeNodeRuntime({ log: 'warnings', trace: { name, isRemovedAtEnd: true } });
  runtime.keepTrace(clientTraceDirectory());
  const metrics = new MountMetrics(runtime, given.text('metrics'));
  const { signal } = parts.interrupt;
  // Whoever mounts: the kernel checks what each user may do.
  const root = { uid: 0, gid: 0, groups: [] };
  const fileSystem = await connect(url, { ...connectOptions, ...root, runtime, name, signal });
  try {
    const source = sourceOf(url);
    const options = given.text('options')?.split(',') ?? [];
    if (!options.includes(powerSave)) boundCpuLatency();
    const mount = await mountCluster({
      fileSystem,
      directory,
      source,
      options: options.filter((option) => !ownOptions.has(option)),
      keepsPages: options.includes(keepPages),
      lends: options.includes('sync') ? 'nothing' : options.includes('dirsync') ? 'files' : 'all',
      deadlineMs: connectOptions.callDeadlineMs ?? limits.callDeadlineDefaultMs,
      meters: metrics.meters,
    });
    try {
      // It may have been started from a directory that somebody wants to unmount.
      process.chdir('/');
      const page = await metrics.serve(mount, fileSystem);
      report({ directory, source, pid: process.pid, repaired, metrics: page }, parts.context);
      endAtSignal(directory, parts);
      await mount.ended;
      // The kernel's administrator can end a mount without taking it away.
      const left = await mountOn(directory);
      if (left !== undefined && (await isDead(left))) await unmount(directory, { lazy: true });
    } catch (error) {
      // Nobody serves it any more, and whoever looked at it would get ENOTCONN.
      await unmount(directory, { lazy: true }).catch(() => undefined);
      throw error;
    }
  } finally {
    await metrics.close();
    await fileSystem.close();
  }
}

function endAtSignal(directory: string, { context, interrupt }: Parts): void {
  interrupt.listen((times) => {
    if (times > 1) process.exit(1);
    void takeAway(directory, (text) => context.output.remark(text));
  });
}

/** At a signal: what is in use is served until its last user is done, or the second signal. */
async function takeAway(directory: string, remark: (text: string) => void): Promise<void> {
  try {
    await unmount(directory, { lazy: false });
  } catch {
    remark(`${directory} is in use: it is served until it is not (a second signal ends it now)`);
    await unmount(directory, { lazy: true }).catch((error: Error) => remark(error.message));
  }
}

function report(mounted: Mounted, { output }: Context): void {
  output.result({ ...mounted }, () => {
    const { directory, source, pid, repaired, metrics } = mounted;
    const how = repaired ? ', in the place of one whose process had died' : '';
    const where = metrics === null ? '' : `; metrics: ${metrics}`;
    return `${source} is mounted on ${directory} (pid ${pid})${how}${where}`;
  });
}

/** @returns whether a dead mount was there @throws CommandError EBUSY when a living one is */
async function clear(directory: string): Promise<boolean> {
  const there = (await listMounts()).filter((mount) => mount.directory === directory);
  for (const mount of there) {
    if (!(await isDead(mount))) {
      throw new CommandError('EBUSY', `${mount.source} is mounted on ${directory} already`, {
        advice: `weft umount ${directory}`,
        path: directory,
      });
    }
    await unmount(directory, { lazy: true });
  }
  return there.length > 0;
}

function printFstab(directory: string, given: Arguments, { output, url = '' }: Context): void {
  parseClusterUrl(url);
  const [timeout, metrics, options] = ['timeout', 'metrics', 'options'].map((n) => given.text(n));
  const line = fstabLine({ url, directory, timeout, metrics, options });
  output.result({ line }, () => line);
}

function printUnit(directory: string, given: Arguments, { output, url }: Context): void {
  // One without a cluster would fail at each start.
  parseClusterUrl(url ?? '');
  const unit = mountUnit(directory, foregroundWords(directory, given, url), process.cwd());
  output.result({ unit }, () => unit);
}

function sourceOf(url: string | undefined): string {
  const { host, port } = parseClusterUrl(url ?? '');
  return `weft:${host}:${port}`;
}

// ---------------------------------------------------------------- in the background

/** The same command again, as a process that nothing here ends. */
async function mountInBackground(
  directory: string,
  given: Arguments,
  { context, interrupt }: Parts,
): Promise<void> {
  const [node, ...words] = foregroundWords(directory, given, context.url);
  const logFile = given.text('log');
  const log = logFile === undefined ? undefined : await open(resolve(logFile), 'a', 0o600);
  try {
    const stdio = ['ignore', 'pipe', log?.fd ?? 'ignore'] as const;
    const child = spawn(node, [...words, '--json'], { detached: true, stdio: [...stdio] });
    // It takes its mount away again, if it has one by then.
    interrupt.listen(() => child.kill('SIGTERM'));
    const said = JSON.parse(await firstLine(child)) as Mounted & { error?: Told };
    interrupt.signal.throwIfAborted();
    if (said.error !== undefined) throw asCommandError(said.error);
    const { source, pid, repaired, metrics } = said;
    child.unref();
    report({ directory, source, pid, repaired, metrics }, context);
  } finally {
    await log?.close();
  }
}

function foregroundWords(
  directory: string,
  given: Arguments,
  url: string | undefined,
): [program: string, ...words: string[]] {
  const [node = process.execPath, program = ''] = process.argv;
  const flags = [...mountFlags, ...process.execArgv];
  const words = [...flags, program, 'mount', directory, '--foreground'];
  if (url !== undefined) words.push('--url', url);
  for (const name of ['key', 'user', 'timeout', 'options', 'metrics'] as const) {
    const text = given.text(name);
    if (text !== undefined) words.push(`--${name}`, text);
  }
  return [node, ...words];
}

/** A failure as `--json` prints it. */
interface Told {
  readonly code: string;
  readonly message: string;
  readonly effect: string | null;
  readonly advice: string | null;
}

function asCommandError({ code, message, effect, advice }: Told): CommandError {
  return new CommandError(code, message, {
    ...(effect !== null && { effect }),
    ...(advice !== null && { advice }),
  });
}

async function firstLine(child: ChildProcess): Promise<string> {
  const { stdout } = child;
  if (stdout === null) throw new Error('standard output is a pipe');
  const lines = createInterface({ input: stdout });
  const ended = once(child, 'close').then(() => []);
  const [line] = (await Promise.race([once(lines, 'line'), ended])) as string[];
  // It says no more there, and the pipe shall not keep this process alive.
  lines.close();
  stdout.destroy();
  if (line !== undefined) return line;
  throw new CommandError('EIO', 'the process of the mount ended before it was ready', {
    advice: 'weft mount --foreground shows why',
  });
}
