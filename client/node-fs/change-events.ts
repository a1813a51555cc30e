/** What `fs.watch` and `fs.promises.watch` tell, from what the mgr tells. */
import type { ByteString, Handle } from '../../shared/units.ts';
import { limits } from '../../shared/limits.ts';
import type { Change } from '../change-watches.ts';
import { pathBytes } from '../path.ts';
import { optionsOf, type PathArgument, pathOf, signalOf } from './arguments.ts';
import { checkBoolean, type Options } from './checks.ts';
import { during } from './failures.ts';
import { nameIn } from './name-encoding.ts';
import type { Volume } from './volume.ts';

export interface ChangeEvent {
  readonly eventType: 'rename' | 'change';
  /** `null`: some changes were missed, so anything may have changed. */
  readonly filename: string | Buffer | null;
}

export interface WatchWish {
  readonly path: PathArgument;
  readonly options: Options;
}

/** @throws TypeError as Node */
export function watchWishOf(path: unknown, given: unknown): WatchWish {
  const options = optionsOf(given);
  for (const name of ['persistent', 'recursive'] as const) {
    if (options[name] !== undefined) checkBoolean(options[name], `options.${name}`);
  }
  return { path: pathOf(path, 'filename'), options };
}

/**
 * @param tell hears of every change from now on
 * @returns what ends it
 * @throws FsError ENOENT, EACCES …; AbortError
 */
export async function beginWatch(
  { fs }: Volume,
  { path, options }: WatchWish,
  tell: (event: ChangeEvent) => void,
): Promise<() => void> {
  const { session } = fs;
  const signal = signalOf(options);
  return during({ syscall: 'watch', path, signal }, async () => {
    const { ino } = await fs.stat(path, { signal });
    const target = { handle: ino as Handle, recursive: options['recursive'] === true };
    const deadline = session.runtime.clock.now() + limits.callDeadlineDefaultMs;
    return session.watch(target, (change) => tell(eventOf(change, path, options)), {
      deadline,
      signal,
    });
  });
}

function eventOf(change: Change | undefined, watched: PathArgument, options: Options): ChangeEvent {
  if (change === undefined) return { eventType: 'change', filename: null };
  const { kind: eventType, path } = change;
  const name = path === '' ? baseOf(watched) : path;
  return { eventType, filename: nameIn(options, name) };
}

/** What happens to the watched file itself bears its own name. */
function baseOf(path: PathArgument): ByteString {
  const bytes = pathBytes(path).replace(/\/+$/, '');
  return bytes.slice(bytes.lastIndexOf('/') + 1) as ByteString;
}
