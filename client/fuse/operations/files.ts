/** Open files and their bytes. A write that is answered is at the daemons, or on its way while the file is lent to us. */
import { constants } from 'node:fs';
import { FsError, hasCode, toFsError } from '../../../shared/errno.ts';
import type { Handle } from '../../../shared/units.ts';
import { openFlags } from '../../../shared/wire/mgr-ops.ts';
import type { Attr } from '../../../shared/wire/values.ts';
import type { Control } from '../../control.ts';
import type { File } from '../../file.ts';
import type { OpenByPlace } from '../../handle-access.ts';
import { placeAt, placeIn } from '../../handle-place.ts';
import type { Known } from '../../name-cache.ts';
import { openIntent } from '../../open-flags.ts';
import type { RequestControl } from '../in-flight.ts';
import { openBits, openRequestBits, type Operations, writeBits } from '../protocol.ts';
import {
  type Answer,
  entryOf,
  type Handlers,
  handleOf,
  type ReplyOf,
  type RequestOf,
  unwritten,
  type Volume,
} from '../volume.ts';
import { killPrivileges } from './attributes.ts';
import { writePlainly } from './plain-write.ts';
import { makerOf } from './names.ts';

/** What was looked up already, and what must not be done twice. */
const settledFlags = constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** Who opens a file so is not answered before the daemons have what he writes. */
const atOnce = constants.O_DIRECT | constants.O_SYNC | constants.O_DSYNC;

export const fileHandlers = {
  open(volume, request, control) {
    const handle = handleOf(request);
    const flags = request.body.flags & ~settledFlags;
    const isReader = openIntent(flags).flags === openFlags.read;
    if (isReader) volume.copies.opened(request.header, handle);
    const idle = isReader ? volume.idleReaders.take(handle) : undefined;
    if (idle !== undefined && volume.access.isOpen(idle)) return opened(volume, idle, flags);
    const known = isReader ? unwritten(volume, handle) : undefined;
    if (known !== undefined) {
      const here = volume.access.openKnown(handle);
      readBehind(volume, known);
      if (here !== undefined) return opened(volume, here, flags);
    }
    const wish = { at: placeAt(handle), flags, mode: 0, maker: undefined };
    const opening = open(volume, wish, control);
    const kills = (request.body.openFlags & openRequestBits.killPrivileges) !== 0;
    return kills ? openedByOther(volume, handle, opening, control) : opening.then(replyOf);
  },

  create(volume, request, control) {
    const { mode } = request.body;
    const flags = request.body.flags | constants.O_CREAT;
    const at = placeIn(handleOf(request), request.tail);
    const near = volume.copies.made(request.header);
    const wish = { at, flags, mode: mode & 0o7777, maker: makerOf(request), near };
    const here = volume.access.openHere({ ...wish, ...openIntent(flags) });
    if (here === undefined) return create(volume, wish, control);
    const entry = entryOf(volume, here.attr, at);
    const reply = opened(volume, here.file, flags);
    if (reply instanceof Promise) return reply.then((open) => ({ entry, open }));
    return { entry, open: reply };
  },

  read(volume, request, control) {
    const { file: number, offset, size } = request.body;
    const { access, files, contents, kernel } = volume;
    const file = files.get(number);
    kernel.pages.read(file.handle, number);
    const lent = access.lent.bytes(file.handle);
    if (lent !== undefined) return piece(lent, offset, size);
    // One that was lost with its session says so.
    const known = access.isOpen(file) ? unwritten(volume, file.handle) : undefined;
    const bytes = known && contents.find(file.handle, known.since);
    return bytes ? piece(bytes, offset, size) : readFile(volume, request, known, control);
  },

  write(volume, request, control) {
    const { body, tail } = request;
    const file = volume.files.get(body.file);
    const content = tail.subarray(0, body.size);
    const atEnd = (body.flags & constants.O_APPEND) !== 0;
    if (!atEnd) requireOffset(body.offset);
    const place = atEnd ? 'end' : body.offset;
    const kills = (body.writeFlags & writeBits.killPrivileges) !== 0;
    const isDone = !kills && volume.access.lent.write(file.handle, content, place);
    if (isDone) return { size: content.length };
    // The kernel's own pages are written when it has told all that there was to tell.
    const isAtOnce =
      (body.flags & atOnce) !== 0 || (body.writeFlags & writeBits.pageCache) !== 0 || kills;
    const { writes } = volume.access;
    if (isAtOnce || writes === undefined || !file.isAtIods)
      return write(volume, { file, content, place, kills }, control);
    volume.nodes.setModified(file.handle, undefined);
    const writing = writes.write(file, content, place, control);
    return writing.then(({ bytesWritten: size }) => ({ size }));
  },

  /** At each close(2) of who writes. */
  flush({ access, files }, { body }, control) {
    const { writes } = access;
    if (writes === undefined) return {};
    const file = files.get(body.file);
    const running = writes.over(file.handle);
    if (running !== undefined) return flush(access, file, running, control);
    writes.requireWritten(file);
    return {};
  },

  async fsync({ access, files }, { body }, control) {
    const file = files.get(body.file);
    await access.settled(file.handle, control);
    access.writes?.requireWritten(file);
    await file.sync({ ...control, everything: true });
    const others = files.writersOf(file.handle).filter((other) => other !== file);
    await Promise.all(others.map((other) => syncForOthers(other, control)));
    return {};
  },

  release(volume, { body }) {
    const file = volume.files.take(body.file);
    volume.kernel.pages.closed(file.handle, body.file);
    volume.streamReads.closed(body.file);
    const giveBack = (): void => close(volume, file);
    const isWriter = volume.files.writersOf(file.handle).includes(file);
    // Of what the mgr does not know there is nothing to give back.
    if (isWriter || file.held === undefined) giveBack();
    else volume.idleReaders.keep(file, giveBack);
    return {};
  },
} satisfies Partial<Handlers>;

/** @param wish with the flags of open(2) */
async function create(volume: Volume, wish: Omit<OpenByPlace, 'durable'>, control: Control) {
  const { at, flags, maker } = wish;
  // Whether he may open what is there by now only the kernel knows, which has all his groups.
  const mustMake = maker === undefined ? 0 : constants.O_EXCL;
  try {
    const { attr, reply } = await open(volume, { ...wish, flags: flags | mustMake }, control);
    return { entry: entryOf(volume, attr, at), open: reply };
  } catch (error) {
    if ((flags & constants.O_EXCL) !== 0 || !hasCode(error, 'EEXIST')) throw error;
    // Then it looks the name up again.
    throw new FsError('ESTALE', { what: 'the name has been given meanwhile', cause: error });
  }
}

/** What is to be written, and where. */
interface Placed {
  readonly file: File;
  readonly content: Uint8Array;
  readonly place: number | 'end';
}

async function write(
  volume: Volume,
  { file, content, place, kills }: Placed & { readonly kills: boolean },
  control: RequestControl,
) {
  const { nodes, access } = volume;
  const { handle } = file;
  // One to which nothing was done goes back in the packet of what is done first.
  if (access.lent.isChanged(handle)) await access.settled(handle, control);
  else void access.lent.settle(handle);
  nodes.setModified(handle, undefined);
  if (kills) await killPrivileges(volume, handle, control);
  const { bytesWritten } = await writePlainly(access, file, content, { place, control });
  return { size: bytesWritten };
}

/** What was answered has ended, and whoever wrote it hears how. */
async function flush(
  access: Volume['access'],
  file: File,
  running: Promise<void>,
  control: RequestControl,
) {
  await access.waitFor(running, control, 'the iods have not taken yet what was written');
  access.writes?.requireWritten(file);
  return {};
}

/** As much as there is. */
function piece(bytes: Buffer, offset: number, size: number): readonly Buffer[] {
  return offset < bytes.length ? [bytes.subarray(offset, offset + size)] : [];
}

/** @param known of the file at this moment */
async function readFile(
  volume: Volume,
  { body }: RequestOf<Operations['read']>,
  known: Known | undefined,
  control: RequestControl,
): Promise<readonly Uint8Array[]> {
  requireOffset(body.offset);
  const file = volume.files.get(body.file);
  const settling = volume.access.settled(file.handle, control);
  if (settling !== undefined) await settling;
  // While there is a right to them nobody writes: nobody need be asked what is behind the end.
  const length = Math.min(body.size, (known?.attr.size ?? Infinity) - body.offset);
  if (length <= 0) return [];
  if (known !== undefined && volume.contents.isFor(known.attr)) {
    const asking = volume.smallReads.read(known);
    const bytes = await volume.access.waitFor(
      asking,
      control,
      'the mgr has not told the bytes yet',
    );
    if (bytes !== undefined) return piece(bytes, body.offset, length);
  }
  const shared = await volume.streamReads.read(
    { number: body.file, file, known, offset: body.offset, length },
    control,
  );
  if (shared !== undefined) {
    control.afterwards(() => shared.release());
    return shared.segments;
  }
  const buffer = control.room(length);
  const bytes = await file.read(buffer, body.offset, control);
  return bytes === 0 ? [] : [buffer.subarray(0, bytes)];
}

/** Whoever opens a small file mostly reads it next. */
function readBehind({ contents, smallReads }: Volume, known: Known): void {
  const { attr, since } = known;
  if (!contents.isFor(attr) || contents.find(attr.handle, since) !== undefined) return;
  void smallReads.read(known);
}

/** Nobody waits for it: until the mgr has heard it, or has ended the session. */
function close({ access, files, nodes, unheard }: Volume, file: File): void {
  const { handle } = file;
  const sent = (): void => {
    // Then there is a right to its attributes, and whoever has written a file often looks at it next.
    if (files.writersOf(handle).every(({ closing }) => closing !== undefined))
      access.prefetch(handle);
  };
  const closed = async (): Promise<void> => {
    try {
      const running = access.writes?.closing(handle);
      if (running !== undefined) await running;
      await access.closeLate(file, sent);
    } catch (error) {
      // close(2) has returned long since; a session that was lost has closed it by itself.
      unheard('a file was not given back', toFsError(error));
    }
    files.closed(file);
    if (files.writersOf(handle).length > 0) return;
    nodes.setModified(handle, undefined);
    access.writes?.closed(handle);
  };
  void closed();
}

/** Its bytes and size too, but what it has lost is told to whoever wrote it. */
async function syncForOthers(file: File, control: Control): Promise<void> {
  try {
    await file.sync({ ...control, forOthers: true });
  } catch (error) {
    if (!hasCode(error, 'EBADF')) throw error; // Closed meanwhile, with all that it knew.
  }
}

type OpenReply = ReplyOf<Operations['open']>;

interface Opened {
  readonly attr: Attr;
  readonly reply: OpenReply;
}

function replyOf({ reply }: Opened): OpenReply {
  return reply;
}

/** By somebody upon whose open suid and sgid go. */
async function openedByOther(
  volume: Volume,
  handle: Handle,
  opening: Promise<Opened>,
  control: Control,
): Promise<OpenReply> {
  const { reply } = await opening;
  try {
    await killPrivileges(volume, handle, control);
  } catch (error) {
    // The kernel will never hear of it.
    close(volume, volume.files.take(reply.file));
    throw error;
  }
  return reply;
}

/** @param wish with the flags of open(2) */
async function open(
  volume: Volume,
  wish: Omit<OpenByPlace, 'durable'>,
  control: Control,
): Promise<Opened> {
  const { flags, durable } = openIntent(wish.flags);
  const { file, attr } = await volume.access.open({ ...wish, flags, durable }, control);
  return { attr, reply: await opened(volume, file, wish.flags) };
}

/** @param wish flags of open(2) */
function opened(volume: Volume, file: File, wish: number): Answer<OpenReply> {
  const { files, kernel } = volume;
  const { handle } = file;
  const { flags } = openIntent(wish);
  const isWriter = (flags & openFlags.write) !== 0;
  const number = files.add(file, isWriter);
  const reply = (): OpenReply => {
    // With a right to it nobody writes, and the kernel would hear of it first.
    const attr = unwritten(volume, handle)?.attr;
    const isKept = attr !== undefined && (wish & constants.O_DIRECT) === 0;
    const way = isKept ? kernel.pages.open(attr, number) : openBits.directIo;
    // Who writes hears at close(2) of what has failed since it was answered.
    const mayTell = isWriter && volume.access.writes !== undefined;
    return { file: number, flags: mayTell ? way : way | openBits.noFlush };
  };
  const isChange = (flags & (openFlags.write | openFlags.truncate)) !== 0;
  const changed = isChange ? kernel.changed(handle) : undefined;
  const settled = changed?.then(() => kernel.opened(handle)) ?? kernel.opened(handle);
  if (settled === undefined) return reply();
  return settled.then(reply, (error: unknown) => {
    close(volume, files.take(number));
    throw error;
  });
}

function requireOffset(offset: number): void {
  if (!Number.isSafeInteger(offset)) throw new FsError('EFBIG');
}
