/**
 * An open file whose writes are gathered (decision 26): one that follows another may be answered before the
 * iods have it. Whatever else is done with the file waits until they have.
 */
import { byteLengthOf } from '../shared/byte-length.ts';
import { rights } from '../shared/wire/values.ts';
import { callOptions, type Control } from './control.ts';
import { File } from './file.ts';
import { type CopyRange, isRange, type Placed } from './file-range.ts';
import type { LentWrites, Writable } from './lent-writes.ts';
import type { FileSource, OpenGrant } from './open-grant.ts';
import type { Stats } from './stats.ts';
import { withinCall } from './within-call.ts';

type Parts = Parameters<File['write']>[0];

export class GatheredFile extends File {
  /** The same, each write answered when it is there. */
  readonly through: Writable;
  readonly #writes: LentWrites;
  readonly #wait: <T>(awaited: Promise<T>, control: Control) => Promise<T>;
  readonly #mayGather: boolean;
  readonly #append: boolean;
  #closed: Promise<void> | undefined;

  constructor(source: FileSource, grant: OpenGrant, writes: LentWrites) {
    // Where the end is it may know by itself.
    super(source, { ...grant, append: false });
    this.#append = grant.append;
    this.#writes = writes;
    const isWritten = grant.kind === 'file' && (grant.rights & rights.write) !== 0;
    this.#mayGather = isWritten && !grant.durable;
    const isAtIods = () => this.isAtIods;
    this.through = {
      handle: grant.handle,
      get isAtIods() {
        return isAtIods();
      },
      write: (from, position, control) => super.write(from, position, control),
    };
    const { session, deadlineMs } = source;
    const { clock } = session.runtime;
    const what = 'the iods have not taken yet what was written';
    this.#wait = (awaited, control) =>
      withinCall(clock, awaited, callOptions(clock, deadlineMs, control), what);
  }

  override get append(): boolean {
    return this.#append;
  }

  /** What fails after it was answered the next `write`, `sync` or `close` tells. */
  override async write(
    from: Parts,
    position: number | 'end' = 0,
    control: Control = {},
  ): Promise<Placed> {
    const parts = from instanceof Uint8Array ? [from] : from;
    const length = byteLengthOf(parts);
    const place = this.#append ? 'end' : position;
    if (!this.#isGathered(place, length)) {
      const write = () => super.write(from, place, control);
      return this.#writes.otherwise(this.handle, control, write);
    }
    const [only, ...others] = parts;
    // What goes to the end is one piece.
    const content = only !== undefined && others.length === 0 ? only : Buffer.concat(parts);
    return this.#writes.write(this.through, content, place, control);
  }

  override async read(into: Parts, position: number, control: Control = {}): Promise<number> {
    await this.#over(control);
    return super.read(into, position, control);
  }

  override async sync(control: Parameters<File['sync']>[0] = {}): Promise<void> {
    await this.#over(control);
    this.requireWritten();
    return super.sync(control);
  }

  override async stat(control: Control = {}): Promise<Stats> {
    await this.#over(control);
    return super.stat(control);
  }

  override copyFrom(
    source: File,
    range: CopyRange,
    control: Control = {},
  ): Promise<number | undefined> {
    return this.#writes.otherwise(this.handle, control, async () => {
      if (source instanceof GatheredFile) await source.#over(control);
      return super.copyFrom(source, range, control);
    });
  }

  override async seek(
    position: number,
    wanted: 'data' | 'hole',
    control: Control = {},
  ): Promise<number | undefined> {
    await this.#over(control);
    return super.seek(position, wanted, control);
  }

  override async truncate(size = 0, control: Control = {}): Promise<void> {
    await this.#over(control);
    return super.truncate(size, control);
  }

  override async setAttributes(
    change: Parameters<File['setAttributes']>[0],
    control: Control = {},
  ): Promise<void> {
    await this.#over(control);
    return super.setAttributes(change, control);
  }

  override close(control: Parameters<File['close']>[0] = {}): Promise<void> {
    this.#closed ??= this.#close(control);
    return this.#closed;
  }

  /** What was answered and has failed is told now. @throws FsError that of the write */
  requireWritten(): void {
    this.#writes.requireWritten(this.through);
  }

  /** What is wrong in itself fails as ever. */
  #isGathered(place: number | 'end', length: number): boolean {
    const mayBe = this.#mayGather && this.isAtIods && this.closing === undefined;
    return mayBe && length > 0 && isRange(place === 'end' ? 0 : place, length);
  }

  async #close(control: Parameters<File['close']>[0]): Promise<void> {
    // All of it is on its way then, and the file itself waits for what is.
    void this.#writes.closing(this.handle);
    await super.close(control);
    this.requireWritten();
  }

  async #over(control: Control): Promise<void> {
    const running = this.#writes.over(this.handle);
    if (running !== undefined) await this.#wait(running, control);
  }
}
