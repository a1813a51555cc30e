/**
 * The open table of an iod that stops, written down for its next start (DESIGN 4: cost is the
 * difference). It is worth nothing by itself: an open counts when the digest of the mgr says so
 * (compare-opens.ts). So the file needs no checksum, and whatever is wrong with it costs time only.
 */
import { join } from 'node:path';
import { readFileIfThere, replaceFileDurably } from '../shared/durable-names.ts';
import { toFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';
import type { Handle, SessionId } from '../shared/units.ts';
import { OpenEntries } from './open-entries.ts';

type Needs = Pick<Runtime, 'disk' | 'log' | 'killPoint'>;

/** Handle, session and sequence as doubles, little end first; rights. */
const entryBytes = 25;

export class OpenImage {
  readonly #runtime: Needs;
  readonly #path: string;

  constructor(runtime: Needs, dataDirectory: string) {
    this.#runtime = runtime;
    this.#path = join(dataDirectory, 'opens');
  }

  /** What can be read of it; nothing when there is none. */
  async read(): Promise<OpenEntries> {
    const { disk, log } = this.#runtime;
    try {
      const stat = await disk.stat(this.#path);
      if (stat === undefined || stat.sizeBytes > limits.openImageBytesMax) return new OpenEntries();
      return entriesOf((await readFileIfThere(disk, this.#path)) ?? Buffer.alloc(0));
    } catch (error) {
      log.warn('open table of the last stop not read', { why: toFsError(error).message });
      return new OpenEntries();
    }
  }

  /**
   * Durable when it returns, if it can be written; not when there are too many, or it is not known
   * which they are: the image of before may serve then.
   */
  async write(entries: OpenEntries | undefined): Promise<void> {
    if (entries === undefined || entries.size * entryBytes > limits.openImageBytesMax) return;
    const { disk, log, killPoint } = this.#runtime;
    try {
      await replaceFileDurably(disk, this.#path, imageOf(entries));
      killPoint('iod.drain.opens-kept');
    } catch (error) {
      log.warn('open table not written down', { why: toFsError(error).message });
    }
  }
}

function imageOf(entries: OpenEntries): Buffer {
  const image = Buffer.alloc(entries.size * entryBytes);
  let at = 0;
  entries.forEach((handle, session, rights, sequence) => {
    image.writeDoubleLE(handle, at);
    image.writeDoubleLE(session, at + 8);
    image.writeDoubleLE(sequence, at + 16);
    image.writeUInt8(rights, at + 24);
    at += entryBytes;
  });
  return image;
}

/** Whatever stands there: numbers that no open has are left out, and half an entry at the end. */
function entriesOf(image: Buffer): OpenEntries {
  const entries = new OpenEntries(image.length / entryBytes);
  // A Buffer's own methods take three times as long, while an iod starts.
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  for (let at = 0; at + entryBytes <= image.length; at += entryBytes) {
    const handle = view.getFloat64(at, true);
    const session = view.getFloat64(at + 8, true);
    const sequence = view.getFloat64(at + 16, true);
    if (!isCount(handle) || handle === 0 || !isCount(session) || !isCount(sequence)) continue;
    entries.put(handle as Handle, session as SessionId, view.getUint8(at + 24), sequence);
  }
  return entries;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
