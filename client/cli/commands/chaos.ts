/** `weft chaos`: a drill on a local cluster: daemons that die, freeze or are slow, links that are cut or slow. */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeNodeRuntime } from '../../../shared/runtime/node.ts';
import { type Arguments, UsageError } from '../arguments.ts';
import type { Context, Run } from '../command.ts';
import { CommandError } from '../failure.ts';
import {
  beginLinkDrill,
  type LinkDrill,
  type LinkFault,
  linkDrillOf,
  linkFaults,
} from '../link-drill.ts';
import { type ClusterState, type DaemonRecord, readState } from '../local-cluster/cluster-state.ts';
import { findDaemon } from '../local-cluster/daemon-process.ts';
import {
  type ProcessId,
  signalProcess,
  waitForEnd,
  waitForStop,
} from '../local-cluster/process-table.ts';

const faults = ['kill', 'stop', 'go'] as const;
type Fault = (typeof faults)[number];

interface Target {
  readonly name: string;
  readonly id: ProcessId;
}

const signals = { kill: 'SIGKILL', stop: 'SIGSTOP', go: 'SIGCONT' } as const;
const done = { kill: 'killed', stop: 'stopped', go: 'goes on' } as const;
const effectMs = 5000;

export const run: Run = async (given, context) => {
  const [word] = given.operands;
  const ofLink = linkFaults.find((one) => one === word);
  if (ofLink !== undefined) return strikeLink(given, context, ofLink);
  const fault = faults.find((one) => one === word);
  if (fault !== undefined) return strikeDaemons(given, context, fault);
  const known = [...faults, ...linkFaults].join(', ');
  throw new UsageError(`'${word}' is no fault: ${known}`, 'weft chaos kill iod1');
};

async function strikeLink(
  given: Arguments,
  { output, connectOptions }: Context,
  fault: LinkFault,
): Promise<void> {
  const drill = linkDrillOf(given, fault);
  const { dataDir, url } = await clusterOf(given);
  await beginLinkDrill(url, connectOptions, drill);
  output.result({ dataDir, ...drill }, () => [
    `${effectOf(drill)}; in ${drill.seconds} s it is well again by itself`,
  ]);
}

function effectOf({ fault, iod, delayMs }: LinkDrill): string {
  if (fault === 'slow-answers') return `what ${iod} answers its clients: late by ${delayMs} ms`;
  const what = fault === 'cut' ? 'cut' : `slow by ${delayMs} ms`;
  return `the link between mgr and ${iod}: ${what}`;
}

async function strikeDaemons(given: Arguments, { output }: Context, fault: Fault): Promise<void> {
  const [, ...names] = given.operands;
  const seconds = given.count('for', { min: 1, max: 3600 });
  if (seconds !== undefined && fault !== 'stop') {
    throw new UsageError(
      'only what is stopped can go on by itself',
      'weft chaos stop iod1 --for 5',
    );
  }
  if (given.text('by') !== undefined) {
    throw new UsageError('only what is slow is late', 'weft chaos slow iod1 --by 200');
  }
  const { dataDir, daemons } = await clusterOf(given);
  const targets = await Promise.all(names.map((name) => targetOf(daemons, name)));
  for (const target of targets) await strike(fault, target);
  if (seconds !== undefined) {
    await sleep(seconds * 1000);
    for (const target of targets) await strike('go', target);
  }
  const struck = targets.map(({ name, id }) => ({ name, pid: id.pid, fault }));
  output.result({ dataDir, struck }, () => [
    ...struck.map(({ name, pid }) => `${name} (pid ${pid}): ${done[fault]}`),
    ...advice(fault, seconds),
  ]);
}

/** Done when it is so: what comes after the command finds the daemon dead, or standing still. */
async function strike(fault: Fault, { name, id }: Target): Promise<void> {
  await signalProcess(id, signals[fault]);
  if (fault === 'go') return;
  const wait = fault === 'kill' ? waitForEnd : waitForStop;
  if (await wait(id, effectMs)) return;
  throw new CommandError('ETIMEDOUT', `${name} was not ${done[fault]} in ${effectMs / 1000} s`, {
    effect: 'the signal was sent, and is still to have its effect',
    advice: `ps -o state,wchan ${id.pid} shows what holds it; D waits for a disk`,
  });
}

/** What brings it back. */
function advice(fault: Fault, seconds: number | undefined): readonly string[] {
  if (fault === 'kill') return ['weft up --detach starts what does not run'];
  if (fault === 'go') return [];
  return [
    seconds === undefined ? 'weft chaos go NAME lets it go on' : `went on after ${seconds} s`,
  ];
}

async function clusterOf(given: Arguments): Promise<ClusterState> {
  const dataDir = resolve(given.text('data') ?? 'weft-data');
  const state = await readState(makeNodeRuntime({ log: 'silent' }).disk, dataDir);
  if (state !== undefined) return state;
  throw new CommandError('ENOENT', `no cluster was started in ${dataDir}`, {
    effect: 'nothing was done',
    advice: 'give the directory of weft up with --data',
    path: dataDir,
  });
}

async function targetOf(daemons: readonly DaemonRecord[], name: string): Promise<Target> {
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
