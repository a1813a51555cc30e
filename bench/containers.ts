/**
 * What it costs to keep track of what comes and goes all the time: things go through a container
 * of V8 and through ours, a few at a time, in a process that has lived for a while.
 *
 *     node --import=tsx bench/containers.ts [--json] [--things=2000000] [--depth=128]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parseArgs } from 'node:util';
import { type Linked, LinkedList } from '../shared/linked-list.ts';
import { NumberMap } from '../shared/number-map.ts';

class Thing implements Linked<Thing> {
  before: Thing | undefined;
  after: Thing | undefined;
  readonly content = [1, 2, 3, 4, 5, 6, 7, 8];
}

/** Takes thing `n` in, and lets the one go that came `depth` things before. */
type Pass = (n: number, thing: Thing, depth: number) => void;

const containers: Readonly<Record<string, () => Pass>> = {
  Map: () => {
    const map = new Map<number, Thing>();
    return (n, thing, depth) => {
      map.set(n, thing);
      map.delete(n - depth);
    };
  },
  NumberMap: () => {
    const map = new NumberMap<number, Thing>();
    return (n, thing, depth) => {
      map.set(n, thing);
      if (n >= depth) map.delete(n - depth);
    };
  },
  Set: () => {
    const set = new Set<Thing>();
    return (_, thing, depth) => {
      set.add(thing);
      for (const first of set) {
        if (set.size > depth) set.delete(first);
        break;
      }
    };
  },
  LinkedList: () => {
    const list = new LinkedList<Thing>();
    return (_, thing, depth) => {
      list.push(thing);
      if (list.size > depth && list.first) list.delete(list.first);
    };
  },
};

interface Outcome {
  readonly nanosecondsEach: number;
  readonly mebibytesAtMost: number;
}

function measure(name: string, things: number, depth: number): Outcome {
  const pass = containers[name]?.();
  if (pass === undefined) throw new Error(`no container ${name}`);
  const run = (from: number, to: number): number => {
    let most = 0;
    for (let n = from; n < to; n++) {
      pass(n, new Thing(), depth);
      if (n % 10_000 === 0) most = Math.max(most, process.memoryUsage().heapUsed);
    }
    return most;
  };
  run(0, depth * 100);
  setFlagsFromString('--expose-gc');
  // As happens in any process sooner or later: what is there now has grown old.
  (runInNewContext('gc') as () => void)();
  const before = process.cpuUsage();
  const most = run(depth * 100, depth * 100 + things);
  const { user, system } = process.cpuUsage(before);
  return { nanosecondsEach: ((user + system) * 1000) / things, mebibytesAtMost: most / 2 ** 20 };
}

const { values } = parseArgs({
  options: {
    container: { type: 'string' },
    json: { type: 'boolean', default: false },
    things: { type: 'string', default: '2000000' },
    depth: { type: 'string', default: '128' },
  },
});
if (values.container !== undefined) {
  process.send?.(measure(values.container, Number(values.things), Number(values.depth)));
} else {
  const results: Record<string, Outcome> = {};
  for (const name of Object.keys(containers)) {
    const args = ['--container', name, '--things', values.things, '--depth', values.depth];
    const [outcome] = (await once(fork(import.meta.filename, args), 'message')) as [Outcome];
    results[name] = outcome;
  }
  if (values.json) console.log(JSON.stringify(results));
  for (const [name, { nanosecondsEach, mebibytesAtMost }] of Object.entries(results)) {
    if (values.json) break;
    const [ns, mib] = [nanosecondsEach, mebibytesAtMost].map((figure) => figure.toFixed(0));
    console.log(
      `${name.padEnd(12)} ${ns?.padStart(6)} ns of processor time each, up to ${mib} MiB`,
    );
  }
}
