/**
 * Work that goes on while daemons come and go: each worker writes a piece of its own file and
 * reads back one that it wrote before. The first failure, or the first wrong byte, ends it.
 */
import type { File } from '../../client/index.ts';
import { pattern } from './patterns.ts';

const pieceBytes = 192 * 1024;
const piecesPerFile = 32;

export class Load {
  readonly #finished: Promise<void>;
  readonly #waiting = new Set<{ readonly count: number; readonly resolve: () => void }>();
  #done = 0;
  #stopped = false;

  /** @param files open for reading and writing, and of nobody else */
  constructor(files: readonly File[]) {
    this.#finished = Promise.all(files.map((file, seed) => this.#work(file, seed))).then(
      () => undefined,
    );
    this.#finished.catch(() => undefined); // Told by whoever waits.
  }

  /** So many more operations were done. @throws what the load failed with */
  async progress(operations: number): Promise<void> {
    const reached = new Promise<void>((resolve) => {
      this.#waiting.add({ count: this.#done + operations, resolve });
    });
    await Promise.race([reached, this.#finished]);
  }

  /** @throws what the load failed with */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#finished;
  }

  async #work(file: File, seed: number): Promise<void> {
    const buffer = Buffer.alloc(pieceBytes);
    for (let round = 0; !this.#stopped; round++) {
      const at = (round % piecesPerFile) * pieceBytes;
      // What is written in a round differs from what was there.
      await file.write(pattern(seed + round, at, pieceBytes), at);
      const before = Math.max(0, round - 5);
      const back = (before % piecesPerFile) * pieceBytes;
      const count = await file.read(buffer, back);
      const isRight =
        count === pieceBytes && buffer.equals(pattern(seed + before, back, pieceBytes));
      if (!isRight) throw new Error(`${file.path}: round ${before} reads back wrong at ${back}`);
      this.#count();
    }
    await file.sync();
  }

  #count(): void {
    this.#done++;
    for (const waiting of this.#waiting) {
      if (waiting.count > this.#done) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }
}
