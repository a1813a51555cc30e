/** One client of a benchmark: a process that carries out tasks, one at a time. */
import { builtClient, builtRuntime } from './built.ts';
import type { ConnectedFileSystem } from '../client/index.ts';
import { callNames, makeTree } from './name-calls.ts';
import { moveRandomly, moveStream } from './data-calls.ts';
import { serveTasks } from './task-server.ts';
import type { Task } from './tasks.ts';

let connected: ConnectedFileSystem | undefined;

serveTasks(async (task: Task) => {
  if (task.kind === 'connect') connected = await connectAgain(task);
  if (connected === undefined) throw new Error('not connected');
  return run(connected, task);
});

/** @returns calls or bytes done */
async function run(fs: ConnectedFileSystem, task: Task): Promise<number> {
  if (task.kind === 'stream') return moveStream(fs, task);
  if (task.kind === 'random') return moveRandomly(fs, task);
  if (task.kind === 'names') return callNames(fs, task);
  if (task.kind === 'tree') return makeTree(fs, task);
  if (task.kind === 'remove') await fs.rm(task.path, { force: true });
  return 0;
}

/** `tcp`: also where a unix socket would do, as between two hosts. */
async function connectAgain({
  url,
  tcp,
  writeBehind,
}: Extract<Task, { kind: 'connect' }>): Promise<ConnectedFileSystem> {
  await connected?.close();
  const { connect } = await builtClient();
  const { makeNodeRuntime } = await builtRuntime();
  const runtime = makeNodeRuntime({ log: 'silent' });
  const elsewhere = { hostId: 'another host', loopbackId: '' };
  const net = { ...runtime.net, ...(tcp && elsewhere) };
  return connect(url, { runtime: { ...runtime, net }, writeBehind });
}
