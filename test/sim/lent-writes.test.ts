/**
 * A program writes a file in order through a mount, or by the library behind its own back, and is answered
 * before the iods have it (decisions 24 and 26), while another looks at the file from elsewhere, and daemons die: whatever was answered before a look
 * is seen by it, and in the end all of it is there.
 */
import { constants } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import type { FileSystem } from '../../client/file-system.ts';
import { limits } from '../../shared/limits.ts';
import type { SimRandom } from './runtime/random.ts';
import { askedBy } from './asked.ts';
import { MountCalls } from './mount-calls.ts';
import { overTwo, Stage } from './stage.ts';

const deadlineMs = 120_000;
const cutMs = 4000;

/** The file is written so often, from its beginning to its end. */
const passes = 2;

/** Of what a piece is full once it was written for the nth time; before the first nothing is there. */
function letterOf(i: number, pass: number): string {
  return pass === 0 ? '\0' : String.fromCodePoint(0x21 + ((i + 45 * pass) % 90));
}

type Fault = 'mgr' | 'iod' | 'cut' | 'power';

/** Who writes. */
interface Writer {
  /** Of the mgr. */
  readonly asked: readonly string[];
  write(text: string, offset: number): Promise<void>;
  read(offset: number, size: number): Promise<string>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

interface Way {
  readonly who: string;
  readonly begin: (fileSystem: FileSystem) => Promise<Writer>;
  readonly pieceBytes: number;
  readonly pieces: number;
  readonly seeds: number;
}

async function throughMount(fileSystem: FileSystem): Promise<Writer> {
  const mount = new MountCalls(fileSystem);
  const descriptor = await mount.openNode(await mount.lookUp('f'), constants.O_RDWR);
  return {
    asked: mount.asked,
    write: (text, offset) => mount.write(descriptor, text, offset),
    read: (offset, size) => mount.read(descriptor, offset, size),
    sync: () => mount.sync(descriptor),
    close: async () => {
      await mount.flush(descriptor);
      mount.close(descriptor);
    },
  };
}

async function byLibrary(fileSystem: FileSystem): Promise<Writer> {
  const asked = askedBy(fileSystem.session);
  const file = await fileSystem.open('/f', 'r+', { deadlineMs });
  return {
    asked,
    write: async (text, offset) => {
      await file.write(Buffer.from(text), offset, { deadlineMs });
    },
    read: async (offset, size) => {
      const into = Buffer.alloc(size);
      return into.subarray(0, await file.read(into, offset, { deadlineMs })).toString();
    },
    sync: () => file.sync({ deadlineMs }),
    close: () => file.close({ deadlineMs }),
  };
}

const short = { pieceBytes: 5000, pieces: 120, seeds: 5 } as const;
/** Gathered where they are: the kernel has their bytes back when the iods have them. */
const whole = { pieceBytes: limits.gatheredBytes, pieces: 12, seeds: 3 } as const;
const ways: readonly Way[] = [
  { who: 'a mount', begin: throughMount, ...short },
  { who: 'a mount, in whole chunks,', begin: throughMount, ...whole },
  { who: 'the library', begin: byLibrary, ...short },
];

class Scene {
  readonly stage: Stage;
  readonly writer: Writer;
  readonly #other: FileSystem;
  readonly #random: SimRandom;
  /** Of each piece, the pass in which it was written last: that was answered, that was begun. */
  readonly #answered: number[];
  readonly #begun: number[];
  readonly #way: Way;
  looks = 0;

  private constructor(
    stage: Stage,
    way: Way,
    { writer, other }: { writer: Writer; other: FileSystem },
  ) {
    this.stage = stage;
    this.writer = writer;
    this.#way = way;
    this.#answered = Array.from({ length: way.pieces }, () => 0);
    this.#begun = [...this.#answered];
    this.#other = other;
    this.#random = stage.world.random.fork('writer');
  }

  static async begin(seed: number, way: Way): Promise<Scene> {
    const stage = new Stage({ seed, iods: 2, programs: 2 });
    await stage.pass(2000);
    const fileSystem = await stage.join(0, 0, { writeBehind: way.begin === byLibrary });
    const other = await stage.join(1);
    await stage.pass(100);
    await stage.run(1, async () => {
      await (await other.open('/f', 'w', { layout: overTwo })).close();
    });
    // Who looks is sooner at the iods than what was answered, unless somebody waits.
    for (const iod of ['iod0', 'iod1']) {
      stage.world.network.set({ latencyMs: [10, 40] }, { from: 'program0', to: iod });
    }
    const writer = await stage.run(0, () => way.begin(fileSystem));
    return new Scene(stage, way, { writer, other });
  }

  async write(): Promise<void> {
    const { pieces, pieceBytes } = this.#way;
    for (let pass = 1; pass <= passes; pass++) {
      for (let i = 0; i < pieces; i++) {
        this.#begun[i] = pass;
        const piece = letterOf(i, pass).repeat(pieceBytes);
        await this.writer.write(piece, i * pieceBytes);
        this.#answered[i] = pass;
        await this.#doOtherThings(i);
      }
    }
    await this.writer.close();
  }

  async #doOtherThings(last: number): Promise<void> {
    const { world } = this.stage;
    const rest = (ms: number) => new Promise<void>((resolve) => void world.after(ms, resolve));
    const random = this.#random;
    if (random.chance(0.1)) await this.writer.sync();
    if (random.chance(0.1)) await this.#readBack(random.below(last + 1), last + 1);
    if (random.chance(0.3)) await rest(random.below(50));
    if (random.chance(0.02)) await rest(2 * limits.gatheredIdleMs);
  }

  /** By the program itself. */
  async #readBack(from: number, end: number): Promise<void> {
    const { pieceBytes } = this.#way;
    const least = [...this.#answered];
    const length = (end - from) * pieceBytes;
    this.#saw(await this.writer.read(from * pieceBytes, length), [from, end], least);
  }

  /** From elsewhere. */
  async look(): Promise<void> {
    const before = [...this.#answered];
    const { size, sizeExact } = await this.#other.stat('/f', { deadlineMs });
    const least = before.findLastIndex((pass) => pass > 0) + 1;
    const { pieceBytes } = this.#way;
    if (sizeExact && size < least * pieceBytes)
      throw new Error(`saw ${size} bytes, but ${least} pieces were answered before`);
    const then = [...this.#answered];
    const end = then.findLastIndex((pass) => pass > 0) + 1;
    this.#saw((await this.#other.readFile('/f', { deadlineMs })).toString(), [0, end], then);
    this.looks++;
  }

  /** @param from first piece @param end behind the last that must be there @param least of each, the pass that was answered before */
  #saw(seen: string, [from, end]: readonly [number, number], least: readonly number[]): void {
    const { pieceBytes } = this.#way;
    const seenEnd = from + Math.ceil(seen.length / pieceBytes);
    if (seenEnd < end) throw new Error(`saw pieces up to ${seenEnd} of ${end}`);
    for (let i = from; i < seenEnd; i++) {
      const piece = seen.slice((i - from) * pieceBytes, (i + 1 - from) * pieceBytes);
      const [first, last] = [least[i] ?? 0, this.#begun[i] ?? 0];
      // While it is written some of it may be new.
      const letters = Array.from({ length: last - first + 1 }, (_, n) => letterOf(i, first + n));
      const others = piece.split('').filter((letter) => !letters.includes(letter));
      if (others.length > 0) {
        const what = `${others.length} letters as ${JSON.stringify(others[0])}`;
        throw new Error(`piece ${i} is none of passes ${first} to ${last}: ${what}`);
      }
    }
  }
}

async function lookOn(scene: Scene, isOver: () => boolean): Promise<void> {
  const random = scene.stage.world.random.fork('looks');
  while (!isOver()) {
    await scene.stage.run(1, () => scene.look());
    await scene.stage.pass(random.below(3 * limits.gatheredAgainMs));
  }
}

function cause({ stage }: Scene, fault: Fault): void {
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

async function play(
  t: ExecutionContext,
  way: Way,
  seed: number,
  fault: Fault | undefined,
): Promise<void> {
  const scene = await Scene.begin(seed, way);
  const { stage, writer } = scene;
  let isOver = false;
  const writing = stage
    .begin(0, () => scene.write())
    .finally(() => {
      isOver = true;
    });
  writing.catch(() => undefined);
  if (fault !== undefined) stage.world.after(1500 + seed * 137, () => cause(scene, fault));
  await lookOn(scene, () => isOver);
  await stage.settle(writing);
  await stage.run(1, () => scene.look());
  t.true(writer.asked.includes('borrow'), `seed ${seed}: it was to be lent`);
  t.true(scene.looks > 0);
  await stage.pass(cutMs + 2 * limits.gatheredIdleMs);
  t.deepEqual([...(stage.cluster.store?.lent() ?? [])], [], 'and is back');
  t.is(stage.openCount, 0);
}

for (const way of ways) {
  for (const fault of [undefined, 'mgr', 'iod', 'cut', 'power'] as const) {
    test(`whoever looks sees what ${way.who} has answered: ${fault ?? 'nothing fails'}`, async (t) => {
      for (let seed = 1; seed <= way.seeds; seed++) await play(t, way, seed, fault);
    });
  }
}
