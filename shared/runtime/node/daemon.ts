/**
 * What the programs of mgr and iod do alike: start, say that they are ready, stop at a signal, and
 * tell a failure in words. Exit codes: 0 stopped when asked; 1 could not start, or could not go on;
 * 70 we are wrong (EX_SOFTWARE of sysexits.h), and whoever supervises us starts us again.
 */
import { type FsError, toFsError } from '../../errno.ts';
import { boundCpuLatency } from './loop-waits.ts';
import type { Logger } from '../runtime.ts';

export interface Daemon {
  start(): Promise<{ readonly host: string; readonly port: number }>;
  stop(): Promise<void>;
}

export interface DaemonProgram {
  readonly role: 'mgr' | 'iod';
  readonly name: string;
  readonly dataDirectory: string;
  /** One line of JSON on standard output as soon as it serves, for whoever started it. */
  readonly printReady: boolean;
  /** Processors of this host sleep as they like, however slow they wake. */
  readonly powerSave: boolean;
  readonly log: Logger;
  /** @param onFatal to be called when it has served and can do so no more */
  readonly make: (onFatal: (error: FsError) => void) => Daemon;
}

/** Runs until the process ends. */
export async function runDaemon(program: DaemonProgram): Promise<void> {
  const { role, name, dataDirectory, printReady, powerSave, log, make } = program;
  dieOfOurMistakes(log);
  if (!powerSave) boundCpuLatency();
  const daemon = make(exitWithFailure);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info('stopping', { signal });
      daemon.stop().then(() => process.exit(0), exitWithFailure);
    });
  }
  try {
    const { host, port } = await daemon.start();
    if (!printReady) return;
    const ready = { ready: true, role, name, host, port, pid: process.pid, dataDir: dataDirectory };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
  } catch (error: unknown) {
    // Stopped before it was ready: the signal's handler ends the process.
    if (toFsError(error).code !== 'ECANCELED') exitWithFailure(error);
  }
}

/** Tells what happened, what it means and what to try, and ends the process. */
export function exitWithFailure(error: unknown): void {
  const { code, weftCode, message, effect, advice } = toFsError(error);
  const text = message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message;
  const lines = [`weft: ${weftCode === undefined ? code : `${weftCode} (${code})`}: ${text}`];
  if (effect !== undefined) lines.push(`  effect: ${effect}`);
  if (advice !== undefined) lines.push(`  try:    ${advice}`);
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
}

function dieOfOurMistakes(log: Logger): void {
  const die = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.error('this is a mistake in weftfs', { error: text });
    process.exit(70);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
}
