/**
 * A mount that reads a file in order, ahead of what is asked for, while another program writes it: what
 * was finished before a read is seen by it.
 */
import test from 'ava';
import type { FileSystem } from '../../client/file-system.ts';
import { limits } from '../../shared/limits.ts';
import { type Descriptor, MountCalls } from './mount-calls.ts';
import { Stage } from './stage.ts';

const pieces = 6;
const pieceBytes = 500;
const rounds = 40;

/** What is in the file once it was written for the nth time. */
function contentOf(state: number): string {
  return String.fromCodePoint(0x41 + (state % 26)).repeat(pieces * pieceBytes);
}

class Scene {
  readonly stage: Stage;
  readonly #mount: MountCalls;
  readonly #writer: FileSystem;
  #begun = 1;
  #finished = 1;

  private constructor(stage: Stage, mount: MountCalls, writer: FileSystem) {
    this.stage = stage;
    this.#mount = mount;
    this.#writer = writer;
  }

  static async begin(seed: number): Promise<Scene> {
    const stage = new Stage({ seed, iods: 2, programs: 2, beside: 0 });
    await stage.pass(2000);
    const [fileSystem, writer] = (await stage.joinAll()) as [FileSystem, FileSystem];
    const mount = await stage.run(0, () => Promise.resolve(new MountCalls(fileSystem)));
    const layout = { base: 0, pcount: 1, ssize: 65_536 };
    await stage.run(1, async () => {
      const file = await writer.open('/f', 'w', { layout });
      await file.write(Buffer.from(contentOf(1)));
      await file.close();
    });
    return new Scene(stage, mount, writer);
  }

  open(): Promise<Descriptor> {
    return this.stage.run(0, () => this.#mount.open('f'));
  }

  /** Whoever looks at the file has a right to it again, if nobody writes it. */
  async look({ handle }: Descriptor): Promise<void> {
    await this.stage.run(0, () => this.#mount.volume.access.attr(handle, {}));
  }

  /** Another program writes the file. */
  async change(): Promise<void> {
    const state = ++this.#begun;
    const file = await this.#writer.open('/f', 'r+');
    await file.write(Buffer.from(contentOf(state)));
    await file.close();
    this.#finished = state;
  }

  async read(descriptor: Descriptor, piece: number): Promise<void> {
    const least = this.#finished;
    const seen = await this.stage.run(0, () =>
      this.#mount.read(descriptor, piece * pieceBytes, pieceBytes),
    );
    for (let state = least; state <= this.#begun; state++) {
      if (seen === contentOf(state).slice(0, pieceBytes)) return;
    }
    throw new Error(
      `piece ${piece}: ${seen.slice(0, 10)}, which is not of ${least} to ${this.#begun}`,
    );
  }
}

test('a read of what was read ahead is never older than what was finished before it', async (t) => {
  for (let seed = 1; seed <= 6; seed++) {
    const scene = await Scene.begin(seed);
    const { stage } = scene;
    const random = stage.world.random.fork('stream reads');
    const descriptor = await scene.open();
    for (let round = 0; round < rounds; round++) {
      await scene.look(descriptor);
      for (let piece = 0; piece < pieces; piece++) {
        await scene.read(descriptor, piece);
        if (random.chance(0.1)) await stage.run(1, () => scene.change());
        if (random.chance(0.1)) await stage.pass(random.below(2 * limits.fuseReadAheadMs));
      }
      // So that it is read directly.
      if (round < 3) await stage.pass(limits.sharedReadAskMs);
    }
  }
  t.pass();
});
