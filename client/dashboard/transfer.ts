/** Files in and out of a page, piece by piece, so that of a large one little is in memory. */
import type { PageFileSystem } from '../browser/connect.ts';

/** So far, of all. */
export type Progress = (doneBytes: number, totalBytes: number) => void;

const pieceBytes = 4 * 1024 * 1024;

/** @param mode `wx`: never over a file that is there. @throws FsError EEXIST and those of writing */
export async function upload(
  fs: PageFileSystem,
  from: Blob,
  to: { readonly path: string; readonly mode: 'w' | 'wx' },
  progress: Progress,
): Promise<void> {
  const file = await fs.open(to.path, to.mode);
  try {
    for (let done = 0; done < from.size;) {
      const piece = new Uint8Array(await from.slice(done, done + pieceBytes).arrayBuffer());
      await file.write(piece, done);
      done += piece.length;
      progress(done, from.size);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The content as a blob, which a browser may keep on its disk. */
export async function download(
  fs: PageFileSystem,
  path: string,
  progress: Progress,
): Promise<Blob> {
  const file = await fs.open(path, 'r');
  try {
    const { size } = await file.stat();
    const pieces: Blob[] = [];
    for (let done = 0; ;) {
      const piece = new Uint8Array(pieceBytes);
      const count = await file.read(piece, done);
      if (count === 0) return new Blob(pieces, { type: 'application/octet-stream' });
      pieces.push(new Blob([piece.subarray(0, count)]));
      done += count;
      progress(done, Math.max(size, done));
    }
  } finally {
    await file.close();
  }
}

/** Gives it to whoever sits before the page. */
export function save(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // When the browser has begun with it.
  window.setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
