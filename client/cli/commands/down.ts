/** `weft down`: stops what `weft up` started, and says what it had to kill. */
import { resolve } from 'node:path';
import type { Run } from '../command.ts';
import { CommandError } from '../failure.ts';
import { stopCluster } from '../local-cluster/local-cluster.ts';

export const run: Run = async (given, { output }) => {
  const dataDir = resolve(given.text('data') ?? 'weft-data');
  const stopped = await stopCluster(dataDir);
  if (stopped === undefined) {
    throw new CommandError('ENOENT', `no cluster was started in ${dataDir}`, {
      effect: 'nothing was stopped',
      advice: 'give the directory of weft up with --data',
      path: dataDir,
    });
  }
  output.result({ dataDir, stopped }, () => {
    if (stopped.length === 0) return `nothing runs in ${dataDir}`;
    return stopped.map(({ name, pid, killed }) =>
      killed ? `${name} (pid ${pid}) did not stop in time and was killed` : `${name} stopped`,
    );
  });
};
