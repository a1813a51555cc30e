/** What the flight recorder of this program holds, in a file, whenever the program likes. */
import { replaceFileDurably } from '../shared/durable-names.ts';
import type { FileSystem } from './file-system.ts';

/**
 * Writes the latest records of the file system's recorder to a file of this host: `weft trace` reads
 * it. There is no content of files, no name and no key in it.
 * @param path absolute; replaced when it is there
 * @throws FsError of the disk
 */
export async function saveTrace({ session }: FileSystem, path: string): Promise<void> {
  const { disk, recorder } = session.runtime;
  await replaceFileDurably(disk, path, Buffer.from(recorder.image));
}
