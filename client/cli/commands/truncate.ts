/** `weft truncate`: files cut or extended to a size, made when they are missing, as truncate(1). */
import { UsageError } from '../arguments.ts';
import type { Run } from '../command.ts';
import { eachPath, verdict } from '../each-path.ts';

export const run: Run = async (given, { output, fileSystem }) => {
  const size = given.bytes('size');
  if (size === undefined) {
    throw new UsageError('truncate needs a size', 'weft truncate --size 1M PATH');
  }
  const mustExist = !given.flag('create');
  const fs = await fileSystem();
  const { done: truncated, failures } = await eachPath(given.operands, output, async (path) => {
    if (!mustExist) await (await fs.open(path, 'a')).close();
    else if (!(await fs.exists(path))) return;
    await fs.truncate(path, size);
  });
  output.object({ size, truncated, failures });
  return verdict(failures);
};
