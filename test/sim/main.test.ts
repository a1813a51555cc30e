/** `npm run sim`, as it is called. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';
import { programWords } from '../../scripts/project.ts';

const small = ['--steps', '2', '--iods', '1', '--clients', '1', '--faults', 'none'];

test('the first seeds are run, by as many processes as are asked for', async (t) => {
  const words = [...programWords('test/sim/main.ts'), ...small, '--seeds', '2', '--jobs', '1'];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  t.is(stdout, 'seeds 1 to 2: done, 0 failed so far\n');
});
