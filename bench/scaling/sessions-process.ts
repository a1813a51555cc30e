/** Many sessions in one process, which do what they are asked together: 128 calls at once. */
import type { ConnectedFileSystem, FileSystem } from '../../client/index.ts';
import { bareOpener } from '../bare-open.ts';
import { builtClient } from '../built.ts';
import { inParallel } from '../data-calls.ts';
import { serveTasks } from '../task-server.ts';
import type { Files, ScalingTask } from './scaling-tasks.ts';

const atOnce = 128;
const connectingAtOnce = 16;
const sessions: ConnectedFileSystem[] = [];

serveTasks(perform);

/** @returns what was made, asked for or listed */
async function perform(task: ScalingTask): Promise<number> {
  if (task.kind === 'connect') return connectAll(task.url, task.sessions);
  if (task.kind === 'create') return onEach(task, (fs, path) => fs.mknod(path, 'file'));
  if (task.kind === 'stat') return onEach(task, (fs, path) => fs.stat(path));
  if (task.kind === 'open') {
    const open = await bareOpener();
    return onEach(task, (fs, path) => open(fs, path, 'create'));
  }
  const { directory } = task;
  const [fs] = sessions;
  if (fs === undefined) throw new Error('not connected');
  if (task.kind === 'list') return (await fs.readdir(directory, { attributes: true })).length;
  await fs.mkdir(directory);
  return 1;
}

async function connectAll(url: string, count: number): Promise<number> {
  const { connect } = await builtClient();
  let missing = count - sessions.length;
  await inParallel(connectingAtOnce, async () => {
    while (missing-- > 0) sessions.push(await connect(url));
  });
  return sessions.length;
}

async function onEach(
  files: Files,
  call: (fs: FileSystem, path: string) => Promise<unknown>,
): Promise<number> {
  const { from, to, step = 1 } = files;
  let next = from;
  await inParallel(atOnce, async () => {
    while (next < to) {
      const file = next;
      next += step;
      const fs = sessions[file % sessions.length];
      if (fs !== undefined) await call(fs, pathOf(files, file));
    }
  });
  return Math.ceil((to - from) / step);
}

function pathOf({ directory, perDirectory }: Files, file: number): string {
  const below = perDirectory === undefined ? '' : `/${Math.floor(file / perDirectory)}`;
  return `${directory}${below}/file-${file}`;
}
