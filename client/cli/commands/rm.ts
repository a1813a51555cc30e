/** `weft rm`. */
import type { FileSystem } from '../../file-system.ts';
import { UsageError } from '../arguments.ts';
import type { Run } from '../command.ts';
import { eachPath, verdict } from '../each-path.ts';
import { Progress } from '../progress.ts';
import { remotePath } from '../remote-path.ts';

export const run: Run = async (given, { output, fileSystem }) => {
  const fs = await fileSystem();
  const recursive = given.flag('recursive');
  const begun = performance.now();
  let done = 0;
  let total: number | undefined;
  const progress = new Progress(output, () => {
    return { done, total, unit: 'names', seconds: (performance.now() - begun) / 1000 };
  });
  const options = { recursive, force: given.flag('force'), removed: () => void done++ };
  try {
    if (progress.shown && recursive) total = await countAll(fs, given.operands.map(remotePath));
    const { done: removed, failures } = await eachPath(given.operands, output, async (path) => {
      if (/^\/*$/.test(path)) {
        throw new UsageError(
          'the root cannot be removed',
          'name what is in it: weft rm -r /NAME …',
        );
      }
      await fs.rm(path, options);
    });
    output.object({ removed, failures });
    return verdict(failures);
  } finally {
    progress.end();
  }
};

/** @returns `undefined` when it cannot be counted: who removes it meets the same, and tells it */
async function countAll(fs: FileSystem, paths: readonly string[]): Promise<number | undefined> {
  const count = async (path: Buffer): Promise<number> => {
    let names = 1;
    for await (const { pathComponent, kind } of fs.opendir(path)) {
      const below = Buffer.concat([path, Buffer.from('/'), pathComponent]);
      names += kind === 'directory' ? await count(below) : 1;
    }
    return names;
  };
  try {
    let names = 0;
    for (const path of paths) names += await count(Buffer.from(path));
    return names;
  } catch {
    return undefined;
  }
}
