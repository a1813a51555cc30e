/** `weft ln`: one more name for a file, or a symbolic link. */
import { posix } from 'node:path';
import type { Run } from '../command.ts';
import { isDirectory } from '../is-directory.ts';
import { remotePath } from '../remote-path.ts';

export const run: Run = async (given, { output, fileSystem }) => {
  const symbolic = given.flag('symbolic');
  const named = given.operand(0);
  // The text of a symbolic link is the user's own, but its prefix means nothing in the file system.
  const target = symbolic && !named.startsWith('weft:') ? named : remotePath(named);
  const wanted = remotePath(given.operand(1));
  const fs = await fileSystem();
  const into = await isDirectory(fs, wanted);
  const path = into ? posix.join(wanted, posix.basename(target)) : wanted;
  await (symbolic ? fs.symlink(target, path) : fs.link(target, path));
  output.object({ target, path, symbolic });
};
