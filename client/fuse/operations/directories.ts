/**
 * Listings. The position of an entry is the mgr's cookie, which stays while others come and go, so
 * telldir and seekdir work at any time.
 */
import type { ByteString, Handle } from '../../../shared/units.ts';
import { fileOps } from '../../../shared/wire/mgr-ops.ts';
import type { Control } from '../../control.ts';
import type { Incoming } from '../message.ts';
import { direntHead, type EntryReply, entryReply } from '../protocol.ts';
import type { Page } from '../directory-streams.ts';
import {
  direntType,
  entryFor,
  type Handlers,
  handleOf,
  isByName,
  noEntry,
  type Volume,
} from '../volume.ts';

/** Positions behind `.` and `..`; cookies of the mgr begin behind them. */
const afterDot = 1;
const afterDotDot = 2;

export interface Entry {
  readonly name: ByteString;
  readonly ino: number;
  /** Position behind it. */
  readonly next: number;
  readonly type: number;
}

export const directoryHandlers = {
  openDirectory({ access, directories, kernel }, request) {
    const directory = handleOf(request);
    const isKnown = access.listed(directory) !== undefined;
    const flags = isKnown ? kernel.openListing(directory) : 0;
    return { file: directories.open(flags), flags };
  },

  async readDirectory(volume, request, control) {
    const { entries } = await entriesOf(volume, request, control);
    return encodeEntries(entries, request.body.size);
  },

  /**
   * With what is cached about each; of others the kernel asks when somebody wants to know. Whatever
   * it is told here takes the place of what it knows, so of those it is told nothing.
   */
  async readDirectoryPlus(volume, request, control) {
    const { entries, page } = await entriesOf(volume, request, control);
    const { access, directories, kernel } = volume;
    const { cache, validMs } = access;
    const { file, offset } = request.body;
    const directory = handleOf(request);
    const nameMs = kernel.tellListing(file, directory, validMs);
    if (offset === 0 && directories.isKept(file)) {
      const isRight = access.listed(directory) === page;
      // It is good for as long as what comes with it.
      const goodMs = page.entries.every(({ kind }) => isByName(kind)) ? nameMs : validMs;
      kernel.keepListing(directory, isRight ? Math.min(nameMs, goodMs) : 0);
    }
    return encodeEntries(entries, request.body.size, ({ ino, name }) => {
      const handle = ino as Handle;
      const isKept = nameMs > 0 && !isDots(name) && cache?.find(directory, name) === handle;
      const attr = isKept ? cache?.attr(handle) : undefined;
      return attr === undefined ? noEntry : entryFor(volume, attr, nameMs);
    });
  },

  releaseDirectory({ directories, kernel }, { body }) {
    directories.close(body.file);
    return kernel.listingTaken(body.file)?.then(() => ({})) ?? {};
  },

  /** Names that the mgr knows are durable; owner, mode and times are from now on. */
  async fsyncDirectory({ access }, request, control) {
    await access.settled(handleOf(request), control);
    return access.call(fileOps.flush, {}, control);
  },
} satisfies Partial<Handlers>;

const dot = '.' as ByteString;
const dotDot = '..' as ByteString;

function isDots(name: ByteString): boolean {
  return name === dot || name === dotDot;
}

async function entriesOf(
  { access, directories, kernel }: Volume,
  request: Incoming<{ readonly file: number; readonly offset: number }, unknown>,
  control: Control,
): Promise<{ readonly entries: Entry[]; readonly page: Page }> {
  const { offset, file } = request.body;
  const handle = handleOf(request);
  await kernel.listingTaken(file);
  if (offset > 0) await kernel.dropSpoiled(handle);
  const after = Math.max(0, offset - afterDotDot);
  const ask = () => access.page(handle, after, control);
  const page = await directories.read(file, after, ask);
  const type = direntType('directory');
  const all: Entry[] = [];
  if (offset < afterDot) all.push({ name: dot, ino: handle, next: afterDot, type });
  if (offset < afterDotDot) all.push({ name: dotDot, ino: page.parent, next: afterDotDot, type });
  for (const { name, handle: ino, kind, cookie } of page.entries) {
    if (cookie > after) all.push({ name, ino, next: cookie + afterDotDot, type: direntType(kind) });
  }
  return { entries: all, page };
}

/** As many as fit, each padded to 8 bytes. @param before what stands ahead of each */
export function encodeEntries(
  entries: readonly Entry[],
  bytesMax: number,
  before?: (entry: Entry) => EntryReply,
): Buffer[] {
  const beforeBytes = before === undefined ? 0 : entryReply.bytes;
  const bytesOf = ({ name }: Entry): number =>
    beforeBytes + direntHead.bytes + Math.ceil(name.length / 8) * 8;
  let count = 0;
  let bytes = 0;
  for (const entry of entries) {
    const next = bytes + bytesOf(entry);
    if (next > bytesMax) break;
    bytes = next;
    count++;
  }
  if (count === 0) return [];
  const into = Buffer.alloc(bytes);
  let at = 0;
  for (const entry of entries.slice(0, count)) {
    const { name, ino, next, type } = entry;
    if (before !== undefined) entryReply.write(into, at, before(entry));
    const headAt = at + beforeBytes;
    direntHead.write(into, headAt, { ino, next, nameBytes: name.length, type });
    into.write(name, headAt + direntHead.bytes, 'latin1');
    at += bytesOf(entry);
  }
  return [into];
}
