/** Names of files on the command line: `weft:/path` is in the file system, the rest on this host. */
import { UsageError } from './arguments.ts';

const prefix = 'weft:';

export interface Location {
  readonly kind: 'weft' | 'local';
  /** Paths of `weft:` begin at the root. */
  readonly path: string;
}

/** For commands that know both sides. A local file of such a name is written `./weft:x`. */
export function parseLocation(text: string): Location {
  if (text === '') throw new UsageError('a path is empty', 'give a path, or weft:/ for the root');
  if (!text.startsWith(prefix)) return { kind: 'local', path: text };
  return { kind: 'weft', path: remotePath(text) };
}

/** For commands that know nothing but the file system: the prefix may be there or not. */
export function remotePath(text: string): string {
  if (text === '') throw new UsageError('a path is empty', 'give a path, or / for the root');
  const path = text.startsWith(prefix) ? text.slice(prefix.length) : text;
  return path.startsWith('/') ? path : `/${path}`;
}
