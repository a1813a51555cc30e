/** `weft chaos`: a drill on a local cluster: daemons that die or freeze without a word. */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeNodeRuntime } from '../../../shared/runtime/node.ts';
import { UsageError } from '../arguments.ts';
import type { Run } from '../command.ts';
import { CommandError } from '../failure.ts';
import { type DaemonRecord, readState } from '../local-cluster/cluster-state.ts';
import { findDaemon } from '../local-cluster/daemon-process.ts';
import { type ProcessId, signalProcess, waitForEnd } from '../local-cluster/process-table.ts';

const faults = ['kill', 'stop', 'go'] as const;
type Fault = (typeof faults)[number];

const signals = { kill: 'SIGKILL', stop: 'SIGSTOP', go: 'SIGCONT' } as const;
const done = { kill: 'killed', stop: 'stopped', go: 'goes on' } as const;
const endMs = 5000;

export const run: Run = async (given, { output }) => {
  const [word, ...names] = given.operands;
  const fault = faults.find((one) => one === word);
  if (fault === undefined) {
    throw new UsageError(`'${word}' is no fault: ${faults.join(', ')}`, 'weft chaos kill iod1');
  }
  const seconds = given.count('for', { min: 1, max: 3600 });
  if (seconds !== undefined && fault !== 'stop') {
    throw new UsageError(
      'only what is stopped can go on by itself',
      'weft chaos stop iod1 --for 5',
    );
  }
  const dataDir = resolve(given.text('data') ?? 'weft-data');
  const daemons = await daemonsOf(dataDir);
  const targets = await Promise.all(names.map((name) => targetOf(daemons, name)));
  for (const { id } of targets) await strike(fault, id);
  if (seconds !== undefined) {
    await sleep(seconds * 1000);
    for (const { id } of targets) await strike('go', id);
  }
  const struck = targets.map(({ name, id }) => ({ name, pid: id.pid, fault }));
  output.result({ dataDir, struck }, () => [
    ...struck.map(({ name, pid }) => `${name} (pid ${pid}): ${done[fault]}`),
    ...advice(fault, seconds),
  ]);
};

async function strike(fault: Fault, id: ProcessId): Promise<void> {
  await signalProcess(id, signals[fault]);
  if (fault === 'kill') await waitForEnd(id, endMs);
}

/** What brings it back. */
function advice(fault: Fault, seconds: number | undefined): readonly string[] {
  if (fault === 'kill') return ['weft up --detach starts what does not run'];
  if (fault === 'go') return [];
  return [
    seconds === undefined ? 'weft chaos go NAME lets it go on' : `went on after ${seconds} s`,
  ];
}

async function daemonsOf(dataDir: string): Promise<readonly DaemonRecord[]> {
  const state = await readState(makeNodeRuntime({ log: 'silent' }).disk, dataDir);
  if (state !== undefined) return state.daemons;
  throw new CommandError('ENOENT', `no cluster was started in ${dataDir}`, {
    effect: 'nothing was done',
    advice: 'give the directory of weft up with --data',
    path: dataDir,
  });
}

async function targetOf(
  daemons: readonly DaemonRecord[],
  name: string,
): Promise<{ readonly name: string; readonly id: ProcessId }> {
  const daemon = daemons.find((one) => one.name === name);
  if (daemon === undefined) {
    const known = daemons.map((one) => one.name).join(', ');
    throw new UsageError(`there is no daemon '${name}'`, `one of ${known}`);
  }
  const id = await findDaemon(daemon);
  if (id !== undefined) return { name, id };
  throw new CommandError('ESRCH', `${name} does not run`, {
    effect: 'nothing was done',
    advice: 'weft up --detach starts it',
    path: daemon.dataDir,
  });
}
