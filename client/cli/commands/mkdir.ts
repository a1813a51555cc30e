/** `weft mkdir`: directories, what files made in them shall be striped like, and when they go. */
import type { Run } from '../command.ts';
import { UsageError } from '../arguments.ts';
import { eachPath, verdict } from '../each-path.ts';
import { layoutWish } from '../layout-wish.ts';

export const run: Run = async (given, { output, fileSystem }) => {
  const mode = parseMode(given.text('mode'));
  const layout = layoutWish(given);
  const retentionSeconds = given.count('retention', { min: 0, max: 0xffff_ffff });
  const fs = await fileSystem();
  const { done: made, failures } = await eachPath(given.operands, output, async (path) => {
    await fs.mkdir(path, { recursive: given.flag('parents') });
    // As mkdir(1): what is asked for is not cut by the umask.
    if (mode !== undefined) await fs.chmod(path, mode);
    if (layout === undefined && retentionSeconds === undefined) return;
    await fs.setDefaults(path, {
      ...(layout !== undefined && { layout }),
      ...(retentionSeconds !== undefined && { retentionSeconds }),
    });
  });
  output.object({ made, failures });
  return verdict(failures);
};

function parseMode(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8);
  throw new UsageError(`--mode takes octal digits, not '${text}'`, 'write it as in --mode 0750');
}
