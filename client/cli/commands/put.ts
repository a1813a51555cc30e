/** `weft put`: standard input as a file, several pieces on their way at once. */
import { fstatSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { toFsError } from '../../../shared/errno.ts';
import type { File } from '../../file.ts';
import { UsageError } from '../arguments.ts';
import type { Run } from '../command.ts';
import { humanBytes, humanDuration, humanRate } from '../../../shared/figures.ts';
import { layoutWish } from '../layout-wish.ts';
import { Progress } from '../progress.ts';
import { remotePath } from '../remote-path.ts';
import { printable } from '../../observing/shown-text.ts';

const pieceBytes = 4 * 1024 * 1024;
const piecesInFlightMax = 4;

export const run: Run = async (given, { output, fileSystem }) => {
  if (process.stdin.isTTY) {
    throw new UsageError('standard input is a terminal', 'weft put PATH < FILE, or a pipe into it');
  }
  const path = remotePath(given.operand(0));
  const begun = performance.now();
  const layout = layoutWish(given);
  const fs = await fileSystem();
  const append = given.flag('append');
  const file = await fs.open(path, append ? 'a' : 'w', { layout });
  const { size } = fstatSync(process.stdin.fd);
  let bytes = 0;
  const progress = new Progress(output, () => ({
    done: bytes,
    // A pipe does not tell how much will come.
    total: size > 0 ? size : null,
    unit: 'bytes',
    seconds: (performance.now() - begun) / 1000,
  }));
  try {
    // Appends take their places as they arrive: two on their way could change places.
    await store(process.stdin, file, append ? 1 : piecesInFlightMax, (count) => (bytes += count));
    await file.close({ sync: given.flag('sync') });
  } catch (error: unknown) {
    await file.close().catch(() => undefined); // The first failure is the one to tell.
    throw error;
  } finally {
    progress.end();
  }
  const seconds = (performance.now() - begun) / 1000;
  if (output.json) output.object({ path, bytes, seconds });
  else if (process.stderr.isTTY) {
    const figures = `${humanBytes(bytes)} in ${humanDuration(seconds)}, ${humanRate(bytes, seconds)}`;
    output.remark(`${printable(path)}: ${figures}`);
  }
};

/** @param stored hears of each piece's length */
async function store(
  input: Readable,
  file: File,
  piecesInFlight: number,
  stored: (bytes: number) => void,
): Promise<void> {
  const inFlight = new Set<Promise<unknown>>();
  let failure: Error | undefined;
  let position = 0;
  const send = async (piece: readonly Uint8Array[], length: number): Promise<void> => {
    const at = position;
    position += length;
    const writing: Promise<unknown> = file.write(piece, at).then(
      () => {
        inFlight.delete(writing);
        stored(length);
      },
      (error: unknown) => {
        inFlight.delete(writing);
        failure ??= toFsError(error);
      },
    );
    inFlight.add(writing);
    while (inFlight.size >= piecesInFlight) await Promise.race(inFlight);
    if (failure !== undefined) throw failure;
  };
  let piece: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of input as AsyncIterable<Buffer>) {
    piece.push(chunk);
    length += chunk.length;
    if (length < pieceBytes) continue;
    await send(piece, length);
    piece = [];
    length = 0;
  }
  if (length > 0) await send(piece, length);
  await Promise.all(inFlight);
  if (failure !== undefined) throw failure;
}
