/** Writes that go on behind the back of who asked for them: bounded, and none of them forgotten. */
const bytesMax = 4 * 1024 * 1024;
const writesMax = 64;

export class WriteBehind {
  readonly #fail: (error: Error) => void;
  /** None of these promises is ever rejected. */
  readonly #running = new Set<Promise<void>>();
  #bytes = 0;

  /** @param fail hears of each write that fails */
  constructor(fail: (error: Error) => void) {
    this.#fail = fail;
  }

  /** @returns when there is room for the next one; `alone`: when this one has ended */
  async add(writing: Promise<unknown>, length: number, alone: boolean): Promise<void> {
    this.#bytes += length;
    const ended = writing.then(
      () => undefined,
      (error: Error) => this.#fail(error),
    );
    const running = ended.then(() => {
      this.#running.delete(running);
      this.#bytes -= length;
    });
    this.#running.add(running);
    if (alone) await running;
    await this.room();
  }

  /** More may be added. */
  get hasRoom(): boolean {
    return this.#bytes < bytesMax && this.#running.size < writesMax;
  }

  /** Resolves when there is room. */
  async room(): Promise<void> {
    while (!this.hasRoom) await Promise.race(this.#running);
  }

  get areRunning(): boolean {
    return this.#running.size > 0;
  }

  /** All that has been added so far has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }
}
