/** `weft rm`. */
import { UsageError } from '../arguments.ts';
import type { Run } from '../command.ts';
import { eachPath, verdict } from '../each-path.ts';

export const run: Run = async (given, { output, fileSystem }) => {
  const fs = await fileSystem();
  const options = { recursive: given.flag('recursive'), force: given.flag('force') };
  const { done: removed, failures } = await eachPath(given.operands, output, async (path) => {
    if (/^\/*$/.test(path)) {
      throw new UsageError('the root cannot be removed', 'name what is in it: weft rm -r /NAME …');
    }
    await fs.rm(path, options);
  });
  output.object({ removed, failures });
  return verdict(failures);
};
