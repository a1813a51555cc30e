/** What a program has whose files are lent to it while it alone writes them (decision 26). */
import type { Handle } from '../shared/units.ts';
import { Askings } from './askings.ts';
import { Caching, type Revoke } from './caching.ts';
import type { File } from './file.ts';
import { GatheredFile } from './gathered-file.ts';
import { LentWrites, type Writable } from './lent-writes.ts';
import type { MgrSession } from './mgr-session.ts';
import type { FileSource, OpenGrant } from './open-grant.ts';

export class Gathering {
  readonly #writes: LentWrites;
  readonly #files: Iterable<File>;
  /** How often each file is open. */
  readonly #opens = new Map<Handle, number>();

  /** @param files all that are open */
  constructor(session: MgrSession, files: Iterable<File>) {
    this.#files = files;
    const recalls = new Askings();
    const revoke: Revoke = async (handles) => {
      recalls.recalled(handles);
      await this.#writes.recalled(handles);
    };
    const owed = () => this.#writes.owed();
    const caching = new Caching({ session, attributes: false, revoke, owed });
    const open = { [Symbol.iterator]: () => this.#through() };
    this.#writes = new LentWrites({ session, caching, recalls, open });
  }

  open(source: FileSource, grant: OpenGrant): File {
    const { handle } = grant;
    this.#opens.set(handle, (this.#opens.get(handle) ?? 0) + 1);
    return new GatheredFile(source, grant, this.#writes);
  }

  closed({ handle }: Pick<File, 'handle'>): void {
    const left = (this.#opens.get(handle) ?? 1) - 1;
    if (left > 0) {
      this.#opens.set(handle, left);
      return;
    }
    this.#opens.delete(handle);
    this.#writes.closed(handle);
  }

  /** The iods have all that was answered. @throws FsError what has failed of it and was not told yet */
  async settled(): Promise<void> {
    await this.#writes.owed();
    for (const through of this.#through()) this.#writes.requireWritten(through);
  }

  *#through(): Generator<Writable> {
    for (const file of this.#files) if (file instanceof GatheredFile) yield file.through;
  }
}
