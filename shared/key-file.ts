/** The file that holds a cluster's secret or a user's token: 64 hexadecimal digits and a newline. */
import { dirname } from 'node:path';
import { type Key, keyBytes, parseKey } from './auth.ts';
import { FsError } from './errno.ts';
import type { Disk, Runtime } from './runtime/runtime.ts';

/** @throws FsError ENOENT, EACCES; EINVAL WEFT_E_BAD_KEY when the file holds no key */
export async function readKeyFile(disk: Disk, path: string): Promise<Key> {
  const file = await disk.open(path, 'read');
  try {
    const content = Buffer.alloc(2 * keyBytes + 2);
    const count = await file.read([content], 0);
    const key = parseKey(content.toString('latin1', 0, count).trim());
    if (key === undefined) {
      throw new FsError('EINVAL', {
        id: 'WEFT_E_BAD_KEY',
        what: `${path} is no key file: it should hold ${2 * keyBytes} hexadecimal digits`,
      });
    }
    return key;
  } finally {
    await file.close();
  }
}

/** Makes a key file, durable when it returns. @throws FsError EEXIST: a key is never overwritten */
export async function makeKeyFile(
  { disk, random }: Pick<Runtime, 'disk' | 'random'>,
  path: string,
  key: Key = random.bytes(keyBytes),
): Promise<Key> {
  const file = await disk.open(path, 'exclusive');
  try {
    await file.write([Buffer.from(`${Buffer.from(key).toString('hex')}\n`)], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.syncDirectory(dirname(path));
  return key;
}
