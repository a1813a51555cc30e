/** What a test has made outside its own process, told to the guardian until it is undone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { programWords } from '../../scripts/project.ts';

export type Made = 'cluster' | 'pid' | 'mount' | 'directory';

let guardian: ChildProcess | undefined;

/** From now on it is undone also if this process should be killed. */
export function made(what: Made, name: string | number): void {
  tell(`+ ${what} ${name}`);
}

/** It has been undone. */
export function undone(what: Made, name: string | number): void {
  tell(`- ${what} ${name}`);
}

/** A process that is ended also if this one should be killed. @returns the same */
export function kept<T extends ChildProcess>(child: T): T {
  const { pid } = child;
  if (pid === undefined) return child;
  made('pid', pid);
  child.once('exit', () => undone('pid', pid));
  return child;
}

function tell(line: string): void {
  guardian ??= startGuardian();
  guardian.stdin?.write(`${line}\n`);
}

function startGuardian(): ChildProcess {
  const child = spawn(process.execPath, programWords('test/system/guardian.ts'), {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // It outlives us, and does not keep us.
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  child.stdin?.on('error', () => undefined);
  return child;
}
