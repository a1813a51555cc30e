/** Names and paths as their callers want them: text, or the bytes they are. */
import type { ByteString } from '../../shared/units.ts';
import type { Options } from './checks.ts';

/** Any encoding of Node; `'buffer'` keeps every byte. */
export function nameIn({ encoding }: Options, name: ByteString): string | Buffer {
  const bytes = Buffer.from(name, 'latin1');
  if (encoding === 'buffer') return bytes;
  return bytes.toString((encoding as BufferEncoding | undefined) ?? 'utf8');
}
