/** `weft iod`: takes an iod out of the cluster, or lets it in again. */
import { clusterOps } from '../../../shared/wire/cluster-ops.ts';
import { limits } from '../../../shared/limits.ts';
import { UsageError } from '../arguments.ts';
import type { Run } from '../command.ts';
import { printable } from '../../observing/shown-text.ts';

const actions = { evict: false, admit: true } as const;

export const run: Run = async (given, { output, fileSystem }) => {
  const [word = '', name = '', ...more] = given.operands;
  if (!(word in actions) || name === '' || more.length > 0) {
    throw new UsageError('this takes evict or admit, and an iod', 'weft iod evict iod1');
  }
  const admit = actions[word as keyof typeof actions];
  const fs = await fileSystem();
  const members = await fs.members();
  const found = members.find((one) => one.name === name);
  if (found === undefined) {
    const known = members.map((one) => one.name).join(', ');
    throw new UsageError(`there is no iod '${name}'`, `one of ${known}`);
  }
  const deadline = fs.session.runtime.clock.now() + limits.callDeadlineDefaultMs;
  const request = { index: found.index, admit };
  const { member } = await fs.session.call(clusterOps.evictIod, request, { deadline });
  output.result({ action: word, iod: member.name, state: member.state }, () => [
    admit
      ? `${printable(name)} may join again: weft up --detach starts it where it has ended`
      : `${printable(name)} is evicted, and its disk given up; weft iod admit ${printable(name)} lets it in again`,
  ]);
};
