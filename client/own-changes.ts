/**
 * What a change of this session means for its own cache: the mgr recalls nothing from whoever makes
 * a change, as far as request and reply tell what it does. Pure.
 */
import { FsError } from '../shared/errno.ts';
import type { Handle } from '../shared/units.ts';
import { fileOps, nameOps, openFlags, renameFlags } from '../shared/wire/mgr-ops.ts';
import type { Op, ReplyOf, RequestOf } from '../shared/wire/op.ts';
import type { Place } from '../shared/wire/values.ts';
import type { Moment, NameCache } from './name-cache.ts';

/** A change and when it was asked for. */
interface Asked<Q, R> {
  readonly at: Moment;
  readonly request: Q;
  readonly reply: R;
}

type Effect<O> = (cache: NameCache, asked: Asked<RequestOf<O>, ReplyOf<O>>) => void;

/** A change was answered. */
export function applyChange<Q, R>(cache: NameCache, op: Op<Q, R>, asked: Asked<Q, R>): void {
  const effect = effects.get(op.code);
  if (effect !== undefined) effect(cache, asked);
  else applyUnknown(cache, asked.request);
}

/** One of which no more is known than what it names. */
function applyUnknown(cache: NameCache, request: unknown): void {
  for (const handle of namedBy(request)) cache.touch(handle);
  for (const { directory, path } of placesIn(request)) {
    if (path.length > 0) cache.changeUnknown(directory, path);
  }
}

/**
 * A change failed. When nobody knows whether it will be made, nothing it names is cached.
 * @returns what is in doubt
 */
export function applyFailure(
  cache: NameCache,
  request: unknown,
  error: unknown,
): readonly Handle[] {
  if (error instanceof FsError && !doubts.has(error.code)) return [];
  const handles = namedBy(request);
  for (const handle of handles) cache.doubt(handle);
  return handles;
}

/** Of ourselves, about a question that may be on its way; the mgr has said nothing. */
const doubts: ReadonlySet<FsError['code']> = new Set(['ETIMEDOUT', 'ECANCELED', 'EPIPE']);

const made: Effect<typeof nameOps.makeNode> = (cache, { at, request, reply: { attr } }) => {
  cache.learnNew(at, attr);
  cache.change(at, request.at.directory, [request.at.path, attr.handle]);
};

const gone: Effect<typeof nameOps.unlink> = (cache, { at, request }) => {
  cache.change(at, request.at.directory, [request.at.path, undefined]);
};

const renamed: Effect<typeof nameOps.rename> = (cache, { at, request: { from, to, flags } }) => {
  const source = cache.find(from.directory, from.path);
  const target = cache.find(to.directory, to.path);
  // Two names of one file stay as they are.
  const isPlain = (flags & renameFlags.exchange) === 0 && source !== target;
  if (!isPlain || typeof source !== 'number' || target === undefined) {
    for (const { directory, path } of [from, to]) cache.changeUnknown(directory, path);
  } else if (from.directory === to.directory) {
    cache.change(at, from.directory, [from.path, undefined], [to.path, source]);
  } else {
    cache.change(at, from.directory, [from.path, undefined]);
    cache.change(at, to.directory, [to.path, source]);
  }
};

const linked: Effect<typeof nameOps.link> = (cache, { at, request: { to }, reply: { attr } }) => {
  cache.changeAttr(at, attr);
  cache.change(at, to.directory, [to.path, attr.handle]);
};

const changed: Effect<typeof nameOps.setAttr> = (cache, { at, reply: { attr } }) => {
  cache.changeAttr(at, attr);
};

const opened: Effect<typeof fileOps.open> = (cache, { at, request, reply }) => {
  const { attr, created } = reply;
  const { directory, path } = request.at;
  const changes = openFlags.write | openFlags.truncate;
  if ((request.flags & changes) !== 0) cache.touch(attr.handle);
  else cache.learn(at, attr);
  if (created) cache.change(at, directory, [path, attr.handle]);
};

const effects: ReadonlyMap<number, Effect<Op>> = new Map(
  (
    [
      [nameOps.makeNode, made],
      [nameOps.symlink, made],
      [nameOps.link, linked],
      [nameOps.unlink, gone],
      [nameOps.removeDirectory, gone],
      [nameOps.rename, renamed],
      [nameOps.setAttr, changed],
      [fileOps.open, opened],
    ] as const
  ).map(([op, effect]) => [op.code, effect as Effect<Op>]),
);

interface Named {
  readonly at?: Place;
  readonly from?: Place;
  readonly to?: Place;
  readonly handle?: Handle;
}

function placesIn(request: unknown): readonly Place[] {
  const { at, from, to } = request as Named;
  return [at, from, to].filter((place) => place !== undefined);
}

/** @returns the name that a change takes from what has it, if it does */
export function nameTakenBy({ code }: Pick<Op, 'code'>, request: unknown): Place | undefined {
  const { at, to } = request as Named;
  if (code === nameOps.unlink.code) return at;
  return code === nameOps.rename.code ? to : undefined;
}

/** @returns the directories in which a change comes or goes */
export function directoriesChangedBy(
  { code }: Pick<Op, 'code'>,
  request: unknown,
): ReadonlySet<Handle> {
  if (code === nameOps.setAttr.code || !effects.has(code)) return new Set();
  const places = placesIn(request).filter(({ path }) => path.length > 0);
  return new Set(places.map(({ directory }) => directory));
}

/** Inodes that a request names by their handles. */
export function namedBy(request: unknown): readonly Handle[] {
  const { handle } = request as Named;
  const directories = placesIn(request).map(({ directory }) => directory);
  return handle === undefined ? directories : [...directories, handle];
}
