/** `weft cat`: files to standard output, in pieces, the next ones on their way while one is written. */
import type { File } from '../../file.ts';
import type { Run } from '../command.ts';
import { eachPath, verdict } from '../each-path.ts';
import type { Output } from '../output.ts';

const pieceBytes = 4 * 1024 * 1024;
const leastPieceBytes = 64 * 1024;
const piecesAhead = 4;

export const run: Run = async (given, { output, fileSystem }) => {
  const fs = await fileSystem();
  const { failures } = await eachPath(given.operands, output, async (path) => {
    const file = await fs.open(path, 'r');
    try {
      await print(file, path, output);
    } finally {
      await file.close();
    }
  });
  for (const error of failures) output.object({ error });
  return verdict(failures);
};

async function print(file: File, path: string, output: Output): Promise<void> {
  const { size } = await file.stat();
  const ahead: { offset: number; length: number; reading: Promise<Buffer> }[] = [];
  for (let next = 0; ;) {
    while (ahead.length === 0 || (ahead.length < piecesAhead && next < size)) {
      // One byte more than is known to be there: the last piece is short unless the file has grown.
      const length = Math.min(pieceBytes, Math.max(size - next + 1, leastPieceBytes));
      const piece = Buffer.allocUnsafe(length);
      const reading = file.read(piece, next).then((count) => piece.subarray(0, count));
      reading.catch(() => undefined); // Heard when its turn comes, or not at all after a failure.
      ahead.push({ offset: next, length, reading });
      next += length;
    }
    const first = ahead.shift();
    if (first === undefined) return;
    const piece = await first.reading;
    if (!output.json) await output.bytes(piece);
    else if (piece.length > 0) {
      output.object({ path, offset: first.offset, base64: piece.toString('base64') });
      await output.flushed();
    }
    if (piece.length < first.length) return;
  }
}
