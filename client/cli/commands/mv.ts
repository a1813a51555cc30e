/** `weft mv`: to another name, or several into a directory. */
import { posix } from 'node:path';
import { UsageError } from '../arguments.ts';
import type { Run } from '../command.ts';
import { eachPath, verdict } from '../each-path.ts';
import { isDirectory } from '../is-directory.ts';
import { remotePath } from '../remote-path.ts';

export const run: Run = async (given, { output, fileSystem }) => {
  const sources = given.operands.slice(0, -1);
  const target = remotePath(given.operands.at(-1) ?? '');
  if (sources.length === 0) {
    throw new UsageError('mv needs a source and a target', 'weft mv FROM... TO');
  }
  const fs = await fileSystem();
  const into = await isDirectory(fs, target);
  if (sources.length > 1 && !into) {
    throw new UsageError(`'${target}' is no directory`, 'several files can go into one only');
  }
  const targetOf = (path: string): string =>
    into ? posix.join(target, posix.basename(path)) : target;
  const { done, failures } = await eachPath(sources, output, (path) =>
    fs.rename(path, targetOf(path), { noReplace: !given.flag('clobber') }),
  );
  output.object({ moved: done.map((from) => ({ from, to: targetOf(from) })), failures });
  return verdict(failures);
};
