/**
 * Two append to one file, each in bursts, so that it is lent now to one and now to the other (decisions 24 and
 * 26), while daemons die: each line is there once, whole, behind those of its writer before it, and seen by
 * whoever looks after it was answered.
 */
import { constants } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import type { FileSystem } from '../../client/file-system.ts';
import { limits } from '../../shared/limits.ts';
import { askedBy } from './asked.ts';
import { MountCalls } from './mount-calls.ts';
import type { SimRandom } from './runtime/random.ts';
import { overTwo, Stage } from './stage.ts';

const bursts = 6;
const linesPerBurst = 40;
const deadlineMs = 120_000;
const cutMs = 4000;

interface Appender {
  readonly name: string;
  readonly asked: readonly string[];
  append(text: string): Promise<unknown>;
  close(): Promise<void>;
}

type Way = (fileSystem: FileSystem, name: string) => Promise<Appender>;

async function throughMount(fileSystem: FileSystem, name: string): Promise<Appender> {
  const mount = new MountCalls(fileSystem);
  const handle = await mount.lookUp('log');
  const descriptor = await mount.openNode(handle, constants.O_WRONLY | constants.O_APPEND);
  return {
    name,
    asked: mount.asked,
    append: (text) => mount.append(descriptor, text),
    close: async () => {
      await mount.flush(descriptor);
      mount.close(descriptor);
    },
  };
}

async function byLibrary(fileSystem: FileSystem, name: string): Promise<Appender> {
  const asked = askedBy(fileSystem.session);
  const file = await fileSystem.open('/log', 'a', { deadlineMs });
  return {
    name,
    asked,
    append: (text) => file.write(Buffer.from(text), 0, { deadlineMs }),
    close: () => file.close({ deadlineMs }),
  };
}

const ways = [
  ['a mount', throughMount],
  ['the library', byLibrary],
] as const;

type Fault = 'mgr' | 'iod' | 'cut' | 'power';

/** Opens the file for each burst, as it can be lent only to who alone has it open. */
class Program {
  answered = 0;
  /** Places that the mgr was asked for. */
  reserved = 0;
  readonly #stage: Stage;
  readonly #fileSystem: FileSystem;
  readonly #name: string;
  readonly #way: Way;
  readonly #random: SimRandom;

  constructor(stage: Stage, fileSystem: FileSystem, name: string, way: Way) {
    this.#stage = stage;
    this.#fileSystem = fileSystem;
    this.#name = name;
    this.#way = way;
    this.#random = stage.world.random.fork(name);
  }

  async run(): Promise<void> {
    for (let burst = 0; burst < bursts; burst++) {
      const appender = await this.#way(this.#fileSystem, this.#name);
      for (let i = 0; i < linesPerBurst; i++) {
        await appender.append(lineOf(this.#name, this.answered));
        this.answered++;
        if (this.#random.chance(0.1)) await this.#rest(60);
      }
      await appender.close();
      this.reserved += appender.asked.filter((op) => op === 'reserve').length;
      await this.#rest(8000);
    }
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#stage.world.after(this.#random.below(ms), resolve));
  }
}

/** Long enough that some of them lie on two pieces. */
function lineOf(name: string, i: number): string {
  return `${name} ${i} ${'.'.repeat((i * 997) % 3000)}\n`;
}

/** In the end: all lines, and nothing else. */
function checkAll(text: string, written: Readonly<Record<string, number>>): void {
  const seen: Record<string, number> = {};
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('the last line is not whole');
  for (const [at, line] of lines.entries()) {
    const [name = ''] = line.split(' ');
    const next = seen[name] ?? 0;
    const isNext = name in written && `${line}\n` === lineOf(name, next);
    if (!isNext) throw new Error(`line ${at} is ${JSON.stringify(line.slice(0, 80))}`);
    seen[name] = next + 1;
  }
  for (const [name, count] of Object.entries(written)) {
    if (seen[name] !== count) throw new Error(`${seen[name] ?? 0} of ${count} lines of ${name}`);
  }
}

/** While they write: what was answered, in order. Of what was not, some may be there. */
function checkAnswered(text: string, name: string, count: number): void {
  let end = 0;
  for (let i = 0; i < count; i++) {
    const line = lineOf(name, i);
    const at = text.indexOf(line, end);
    if (at === -1) throw new Error(`line ${i} of ${name}, which were ${count}, is not there`);
    end = at + line.length;
  }
}

function cause(stage: Stage, fault: Fault): void {
  const { mgr } = stage.cluster;
  const { network } = stage.world;
  if (fault === 'mgr') stage.bounce(mgr, 300);
  else if (fault === 'iod') stage.bounce(stage.iod(1).process, 500);
  else if (fault === 'cut') {
    network.partition('program0', 'mgr');
    stage.world.after(cutMs, () => network.heal('program0', 'mgr'));
  } else {
    stage.cluster.cutPower(mgr.host);
    stage.world.after(300, () => {
      mgr.host.powerOn();
      mgr.start();
    });
  }
}

/** @returns lines for which the mgr was not asked for a place */
async function play(
  t: ExecutionContext,
  way: Way,
  seed: number,
  fault: Fault | undefined,
): Promise<number> {
  const stage = new Stage({ seed, iods: 2, programs: 3 });
  const writeBehind = way === byLibrary;
  const joined = [
    await stage.join(0, 0, { writeBehind }),
    await stage.join(1, 0, { writeBehind }),
    await stage.join(2),
  ] as const;
  await stage.run(2, async () => {
    await (await joined[2].open('/log', 'w', { layout: overTwo })).close();
  });
  // Who looks is sooner at the iods than what was answered, unless somebody waits.
  for (const iod of ['iod0', 'iod1']) {
    stage.world.network.set({ latencyMs: [10, 40] }, { from: 'program0', to: iod });
  }
  const one = new Program(stage, joined[0], 'one', way);
  const two = new Program(stage, joined[1], 'two', way);
  const over = new AbortController();
  const work = Promise.all([
    stage.begin(0, () => one.run()),
    stage.begin(1, () => two.run()),
  ]).finally(() => {
    over.abort();
  });
  work.catch(() => undefined);
  if (fault !== undefined) stage.world.after(1000 + seed * 137, () => cause(stage, fault));
  const read = async (): Promise<string> =>
    stage.run(2, async () => (await joined[2].readFile('/log', { deadlineMs })).toString());
  const random = stage.world.random.fork('looks');
  while (!over.signal.aborted) {
    const [ones, twos] = [one.answered, two.answered];
    const text = await read();
    checkAnswered(text, 'one', ones);
    checkAnswered(text, 'two', twos);
    await stage.pass(random.below(15_000));
  }
  await stage.settle(work);
  checkAll(await read(), { one: one.answered, two: two.answered });
  const gathered = one.answered + two.answered - one.reserved - two.reserved;
  await stage.pass(cutMs + 2 * limits.gatheredIdleMs);
  t.deepEqual([...(stage.cluster.store?.lent() ?? [])], [], 'it is back');
  t.is(stage.openCount, 0);
  return gathered;
}

for (const [who, way] of ways) {
  for (const fault of [undefined, 'mgr', 'iod', 'cut', 'power'] as const) {
    test(`each line that ${who} appends is there once: ${fault ?? 'nothing fails'}`, async (t) => {
      let gathered = 0;
      for (let seed = 1; seed <= 4; seed++) gathered += await play(t, way, seed, fault);
      t.true(gathered > 100, `${gathered} without the mgr`);
    });
  }
}
