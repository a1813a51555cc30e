/**
 * Answers for which nobody need be waited for. They are given in the same call in which the request
 * is read: a program that looks at ten thousand files asks for nothing else.
 */
import { placeIn } from '../handle-access.ts';
import {
  attrReplyOf,
  entryOf,
  handleOf,
  type ReplyOf,
  type RequestOf,
  unwritten,
  type Volume,
} from './volume.ts';
import { isForReader, type Operations } from './protocol.ts';

/** Of some operations: the answer, or `undefined`, and the handler must be asked. */
export type AtHand = {
  readonly [K in keyof Operations]?: (
    volume: Volume,
    request: RequestOf<Operations[K]>,
  ) => ReplyOf<Operations[K]> | undefined;
};

export const atHand: AtHand = {
  lookup(volume, request) {
    const at = placeIn(handleOf(request), request.tail);
    const attr = volume.access.known(at);
    return attr ? entryOf(volume, attr, at) : undefined;
  },

  getAttr(volume, request) {
    const known = unwritten(volume, handleOf(request));
    return known && attrReplyOf(volume, known.attr, isForReader(request.body));
  },

  read(volume, { body }) {
    const { access, files, contents, kernel } = volume;
    const file = files.get(body.file);
    const { handle } = file;
    // One that was lost with its session says so.
    const known = access.isOpen(file) ? unwritten(volume, handle) : undefined;
    const bytes = known && contents.find(handle, known.since);
    if (bytes === undefined) return undefined;
    kernel.pages.read(handle, body.file);
    return [bytes.subarray(body.offset, body.offset + body.size)];
  },
};
