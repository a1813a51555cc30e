/**
 * The bytes of one file: pages that were written, holes for the rest, and what is needed to go
 * back to the last sync. A page is lost, kept or torn on its own, as a real disk does it.
 */
import type { SimRandom } from './random.ts';

export const pageBytes = 4096;
const sectorBytes = 512;

/** A page as it was at the last sync. */
interface Before {
  readonly bytes: Uint8Array | undefined;
  /** Bytes of it that no later truncation has cut off. */
  readonly uncutBytes: number;
}

export class SparseFile {
  #sizeBytes = 0;
  #syncedBytes = 0;
  readonly #pages = new Map<number, Uint8Array>();
  /** Changed since the last sync. */
  readonly #dirty = new Map<number, Before>();
  /** Changed, and lost by a sync that failed: no later sync saves them unless written again. */
  readonly #doomed = new Map<number, Before>();

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get pageCount(): number {
    return this.#pages.size;
  }

  /** Fills `into` from `position`. @returns bytes read, fewer only at the end of the file */
  read(into: readonly Uint8Array[], position: number): number {
    let at = position;
    for (const buffer of into) {
      const count = Math.min(buffer.length, Math.max(0, this.#sizeBytes - at));
      for (const { page, from, to, offset } of pieces(at, count)) {
        const bytes = this.#pages.get(page);
        if (bytes) buffer.set(bytes.subarray(from, to), offset);
        else buffer.fill(0, offset, offset + to - from);
      }
      at += count;
    }
    return at - position;
  }

  /** @param allocate false when there is no room for a page @returns bytes written before that */
  write(bytes: Uint8Array, position: number, allocate: () => boolean): number {
    for (const { page, from, to, offset } of pieces(position, bytes.length)) {
      if (!this.#pages.has(page) && !allocate()) return offset;
      this.#change(page).set(bytes.subarray(offset, offset + to - from), from);
      this.#sizeBytes = Math.max(this.#sizeBytes, position + offset + to - from);
    }
    return bytes.length;
  }

  truncate(lengthBytes: number): void {
    const lastPage = Math.floor(lengthBytes / pageBytes);
    const lastBytes = lengthBytes % pageBytes;
    for (const page of [...this.#pages.keys(), ...this.#dirty.keys(), ...this.#doomed.keys()]) {
      if (page < lastPage) continue;
      const keep = page === lastPage ? lastBytes : 0;
      this.#remember(page, keep);
      if (keep === 0) this.#pages.delete(page);
      else this.#pages.get(page)?.fill(0, keep);
    }
    this.#sizeBytes = lengthBytes;
  }

  sync(): void {
    this.#dirty.clear();
    this.#syncedBytes = this.#sizeBytes;
  }

  /** A sync that fails: as in Linux the next one succeeds, but what was dirty is not saved. */
  failSync(): void {
    for (const [page, before] of this.#dirty) this.#doomed.set(page, before);
    this.#dirty.clear();
  }

  /** Power is lost: what was not synced is lost, kept or torn, page by page. */
  powerLoss(random: SimRandom): void {
    const wasCut = [...this.#dirty.values()].some((before) => before.uncutBytes < pageBytes);
    const newSize = this.#crashedSize(wasCut, random);
    const sizeIsOld = newSize === this.#syncedBytes && newSize !== this.#sizeBytes;
    for (const [page, before] of this.#dirty) {
      const isCut = before.uncutBytes < pageBytes;
      if (sizeIsOld && isCut) this.#put(page, before.bytes);
      else this.#put(page, tear(this.#pages.get(page), uncut(before), random));
    }
    for (const [page, before] of this.#doomed) this.#put(page, uncut(before));
    this.#dirty.clear();
    this.#doomed.clear();
    this.truncate(newSize);
    this.sync();
  }

  /** Flips one bit on the medium (SCENARIOS 222). @returns whether there was a byte to flip */
  flipBit(position: number, bit: number): boolean {
    const bytes = this.#pages.get(Math.floor(position / pageBytes));
    if (!bytes || position >= this.#sizeBytes) return false;
    const at = position % pageBytes;
    bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
    return true;
  }

  /** A copy all of which is durable. */
  clone(): SparseFile {
    const copy = new SparseFile();
    for (const [page, bytes] of this.#pages) copy.#pages.set(page, bytes.slice());
    copy.#sizeBytes = copy.#syncedBytes = this.#sizeBytes;
    return copy;
  }

  /** Growth may be lost in part; a truncation happened or did not. */
  #crashedSize(wasCut: boolean, random: SimRandom): number {
    const [before, now] = [this.#syncedBytes, this.#sizeBytes];
    const choices = [before, now];
    if (!wasCut && now > before)
      choices.push(before + Math.ceil(random.fraction() * (now - before)));
    return random.pick(choices);
  }

  #change(page: number): Uint8Array {
    this.#remember(page, pageBytes);
    let bytes = this.#pages.get(page);
    if (!bytes) this.#pages.set(page, (bytes = new Uint8Array(pageBytes)));
    return bytes;
  }

  #remember(page: number, keepBytes: number): void {
    const before = this.#dirty.get(page) ?? this.#doomed.get(page);
    this.#doomed.delete(page);
    this.#dirty.set(page, {
      bytes: before ? before.bytes : this.#pages.get(page)?.slice(),
      uncutBytes: Math.min(before?.uncutBytes ?? pageBytes, keepBytes),
    });
  }

  #put(page: number, bytes: Uint8Array | undefined): void {
    if (bytes) this.#pages.set(page, bytes);
    else this.#pages.delete(page);
  }
}

/** The parts of a range that fall on single pages; `offset` counts from the range's start. */
function* pieces(position: number, length: number) {
  for (let offset = 0; offset < length;) {
    const page = Math.floor((position + offset) / pageBytes);
    const from = (position + offset) % pageBytes;
    const to = Math.min(pageBytes, from + length - offset);
    yield { page, from, to, offset };
    offset += to - from;
  }
}

function uncut({ bytes, uncutBytes }: Before): Uint8Array | undefined {
  if (uncutBytes === 0) return undefined;
  return bytes?.slice().fill(0, uncutBytes);
}

/** The new page, the old one, or some sectors of the new before the rest of the old. */
function tear(
  now: Uint8Array | undefined,
  old: Uint8Array | undefined,
  random: SimRandom,
): Uint8Array | undefined {
  const choice = random.below(3);
  if (choice === 0) return now;
  if (choice === 1) return old;
  const torn = old?.slice() ?? new Uint8Array(pageBytes);
  const sectors = 1 + random.below(pageBytes / sectorBytes - 1);
  torn.set((now ?? new Uint8Array(pageBytes)).subarray(0, sectors * sectorBytes));
  return torn;
}
