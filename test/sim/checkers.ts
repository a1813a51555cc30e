/**
 * What must hold whatever happens: the invariants of SCENARIOS (I1 to I12) that a run can judge
 * from outside. I1, I4 and I5 are judged call by call in the reference model.
 */
import type { FileSystem } from '../../client/file-system.ts';
import { limits } from '../../shared/limits.ts';
import { EpochWatch } from '../../shared/rpc/epoch-watch.ts';
import { Link } from '../../shared/rpc/link.ts';
import { dataOps } from '../../shared/wire/iod-ops.ts';
import type { Op, ReplyOf } from '../../shared/wire/op.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import { type Cluster, type IodNode, iodPort, secret } from './cluster.ts';
import { isOwn, perform, type PlainNameCall } from './name-calls.ts';
import type { ReferenceModel } from './reference-model.ts';
import type { SimProcess } from './runtime/process.ts';
import type { World } from './runtime/world.ts';

/** How late a call may end: timers come late, and an answer is on its way for a while. */
const graceMs = 2_000;

/** I2: the port of an iod is closed until it has synced in this life (SCENARIOS 29, 30). */
export function requireListensLast({ iods }: Cluster): void {
  for (const { name, host, mayListen } of iods) {
    if (mayListen || !host.listeners.has(`tcp:${iodPort}`)) continue;
    throw new Error(`I2: ${name} listens before it has synced`);
  }
}

/** I5: every start of the mgr has a generation of its own, above all earlier ones. */
export function requireGenerationsGrow({ generations }: Cluster): void {
  const grow = generations.every((one, i) => i === 0 || one > (generations[i - 1] ?? Infinity));
  if (!grow) throw new Error(`I5: the generations of the mgr were ${generations.join(', ')}`);
}

/** I7: every call ends by its deadline, unless its process was stopped meanwhile. */
export class Deadlines {
  readonly #world: World;
  /** When a process was last stopped, or went on: Infinity while it is stopped. */
  readonly #stopped = new Map<SimProcess, number>();

  constructor(world: World) {
    this.#world = world;
  }

  paused(process: SimProcess): void {
    this.#stopped.set(process, Infinity);
  }

  resumed(process: SimProcess): void {
    if (this.#stopped.has(process)) this.#stopped.set(process, this.#world.nowMs);
  }

  watch<T>(process: SimProcess, what: string, deadlineMs: number, call: Promise<T>): Promise<T> {
    const life = process.starts;
    const begin = this.#world.nowMs;
    let ended = false;
    const end = (): void => {
      ended = true;
    };
    call.then(end, end);
    const check = (): void => {
      if (ended || process.starts !== life || !process.alive) return;
      const stoppedAt = this.#stopped.get(process) ?? -1;
      if (stoppedAt >= begin && this.#world.nowMs - stoppedAt < deadlineMs + graceMs) {
        this.#world.after(deadlineMs, check);
      } else this.#world.fail(new Error(`I7: ${what} has not ended after ${deadlineMs} ms`));
    };
    this.#world.after(deadlineMs + graceMs, check);
    return call;
  }
}

/** I1, I6: everything that has a name is there, as the model has it. @returns files with a name */
export async function compareTree(
  fs: FileSystem,
  model: ReferenceModel,
  now: () => number,
): Promise<Set<number>> {
  const files = new Set<number>();
  const ask = async (call: PlainNameCall) => {
    const id = model.beginName(call);
    const outcome = await perform(fs, call, {});
    model.endName(id, outcome);
  };
  const visit = async (path: string): Promise<void> => {
    await ask({ kind: 'readdir', path: path || '/' });
    for (const entry of await fs.readdir(path || '/')) {
      if (isOwn(entry.name)) continue;
      const child = `${path}/${entry.name}`;
      await ask({ kind: 'stat', path: child });
      if (entry.isSymbolicLink()) await ask({ kind: 'readlink', path: child });
      else {
        await ask({ kind: 'listxattr', path: child });
        for (const name of await fs.listxattr(child)) {
          await ask({ kind: 'getxattr', path: child, name });
        }
      }
      if (entry.isDirectory()) await visit(child);
      if (entry.isFile()) files.add(await compareFile(fs, model, child, now));
    }
  };
  await visit('');
  return files;
}

async function compareFile(
  fs: FileSystem,
  model: ReferenceModel,
  path: string,
  now: () => number,
): Promise<number> {
  const begin = now();
  const file = await fs.open(path, 'r');
  const { size } = await file.stat();
  const into = Buffer.alloc(size + 1, 255);
  const count = await file.read(into, 0);
  await file.close();
  const history = model.file(file.handle, file.layout);
  const span = { begin, end: now() };
  history.checkSize(size, span);
  history.checkRead(0, into.subarray(0, count), span);
  // What was never acknowledged may lie behind the end, when its iod could not be asked at the close.
  const [, most] = history.sizes(span);
  const isPast = count > size && most > size;
  if (count !== size && !isPast)
    throw new Error(`I1: ${path} has ${size} bytes, ${count} were read`);
  return file.handle;
}

/** I3: what is left at the mgr when every client has gone; empty in the end. */
export function leftAtMgr({ store }: Cluster): string {
  if (store === undefined) return 'no mgr';
  const left = {
    sessions: store.sessions().length,
    opens: [...store.opens()].length,
    pending: store.pendingCount(),
    orphans: store.orphans(0 as Parameters<typeof store.orphans>[0], 10).length,
  };
  const some = Object.entries(left).filter(([, count]) => count > 0);
  return some.map(([what, count]) => `${count} ${what}`).join(', ');
}

/** Sessions that the mgr has stored. */
export function sessionsAtMgr({ store }: Cluster): Set<number> {
  return new Set(store?.sessions().map(({ session }) => session));
}

/** Opens of a session that the mgr has stored. */
export function opensOf({ store }: Cluster, session: number): number {
  return [...(store?.opens() ?? [])].filter((row) => row.session === session).length;
}

/**
 * I2, I3: what is left in the open tables of the iods when every client has gone.
 * @param incarnation another one each time
 */
export async function leftAtIods(
  { iods }: Cluster,
  runtime: Runtime,
  incarnation: number,
): Promise<string> {
  const left = await Promise.all(iods.map((iod) => leftAtIod(iod, runtime, incarnation)));
  return left.filter((one) => one !== '').join(', ');
}

async function leftAtIod(iod: IodNode, runtime: Runtime, incarnation: number): Promise<string> {
  const { openEntries, state } = await statusOfIod(iod, runtime, incarnation);
  if (state !== 'SERVING') return `${iod.name} is ${state}`;
  return openEntries === 0 ? '' : `${openEntries} entries at ${iod.name}`;
}

/**
 * What an iod says of itself.
 * @param incarnation another one each time
 */
export function statusOfIod(
  iod: IodNode,
  runtime: Runtime,
  incarnation: number,
): Promise<ReplyOf<typeof dataOps.iodStatus>> {
  return askIod(iod, runtime, incarnation, dataOps.iodStatus, {});
}

/** Asks with the key of the cluster. @param incarnation another one each time */
export async function askIod<Q, R>(
  { name }: IodNode,
  runtime: Runtime,
  incarnation: number,
  op: Op<Q, R>,
  request: Q,
): Promise<R> {
  const link = new Link({
    runtime,
    self: { role: 'client', node: 'asker', incarnation, cluster: () => '' },
    epochs: new EpochWatch(),
    expect: 'iod',
    name,
    endpoints: () => [{ kind: 'tcp', host: name, port: iodPort }],
    credential: () => ({ kind: 'cluster', name: '', key: secret }),
    persistent: false,
  });
  try {
    const deadline = runtime.clock.now() + limits.callDeadlineDefaultMs;
    return await link.call(op, request, { deadline });
  } finally {
    link.close();
  }
}

/** I6: every object belongs to a file that has a name; what has neither is removed. */
export function requireNoOrphanObjects({ iods }: Cluster, files: ReadonlySet<number>): void {
  for (const { name, host } of iods) {
    const visit = (path: string): void => {
      for (const entry of host.disk.list(path) ?? []) {
        const child = `${path}/${entry}`;
        if (host.disk.list(child)) visit(child);
        else if (!files.has(Number(entry))) {
          throw new Error(`I6: ${name} keeps ${child}, of a file that is gone`);
        }
      }
    };
    visit('/data/objects');
  }
}
