/**
 * Files that are read or written whole. Of small ones, whose bytes are at the mgr, that is one round trip
 * by the path, and nothing is open (decision 25).
 */
import { limits } from '../shared/limits.ts';
import type { CallOptions } from '../shared/rpc/call.ts';
import { fileOps, openFlags } from '../shared/wire/mgr-ops.ts';
import type { LayoutWish } from '../shared/wire/values.ts';
import type { Control } from './control.ts';
import type { File } from './file.ts';
import type { MgrSession } from './mgr-session.ts';
import type { OpenIntent } from './open-flags.ts';
import { type PathLike, placeOf } from './path.ts';

/** What a file is opened for, and made with. */
export interface WholeWrite extends Pick<OpenIntent, 'flags' | 'append'> {
  readonly mode: number;
  readonly layout: LayoutWish;
}

/** @returns undefined: it is not small, or no file, and is to be opened */
export async function readSmallFile(
  session: MgrSession,
  path: PathLike,
  options: CallOptions,
): Promise<Buffer | undefined> {
  const { bytes } = await session.call(fileOps.readFile, { at: placeOf(path) }, options);
  if (bytes === undefined) return undefined;
  // What has come is a part of a buffer that others share.
  const content = Buffer.allocUnsafeSlow(bytes.length);
  content.set(bytes);
  return content;
}

/** @returns false: nothing was done, and the file is to be opened */
export async function writeSmallFile(
  session: MgrSession,
  path: PathLike,
  content: Uint8Array,
  { flags, append, mode, layout }: WholeWrite,
  options: CallOptions,
): Promise<boolean> {
  const isWriter = (flags & (openFlags.write | openFlags.directory)) === openFlags.write;
  if (!isWriter || content.length > limits.smallFileBytesDefault) return false;
  // A copy, or a message that is sent again could hold what the caller's buffer holds by then.
  const bytes = Buffer.from(content);
  const request = { at: placeOf(path), flags, append, mode, layout, bytes };
  return (await session.call(fileOps.writeFile, request, options)).stored;
}

/** All of an open file. */
export async function readAll(file: File, control: Control): Promise<Buffer> {
  const { size, sizeExact } = await file.stat(control);
  // Where nobody is sure of the end, one byte more makes the read ask until it is.
  for (let room = sizeExact ? size : size + 1; ; room = Math.max(2 * room, 4096)) {
    const content = Buffer.allocUnsafe(room);
    const count = await file.read(content, 0, control);
    if (sizeExact || count < room) return content.subarray(0, count);
  }
}
