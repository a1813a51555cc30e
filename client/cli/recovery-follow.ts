/** `weft recovery follow`: a recovery as it happens, until all of the cluster serves again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { humanDuration } from '../../shared/figures.ts';
import type { ClusterStatus } from '../file-system.ts';
import { progressText } from '../observing/recovery-words.ts';
import { printable } from '../observing/shown-text.ts';
import type { Arguments } from './arguments.ts';
import { type ClusterLook, lookAtCluster } from './cluster-look.ts';
import type { Context } from './command.ts';
import { type Figures, Progress } from './progress.ts';

const betweenLooksMs = 200;

export async function followRecovery(given: Arguments, context: Context): Promise<void> {
  const { output } = context;
  const begun = performance.now();
  const seconds = (): number => (performance.now() - begun) / 1000;
  let look = await lookAtCluster(given, context);
  const progress = new Progress(output, () => ({ ...stepsOf(look), seconds: seconds() }));
  try {
    for (let before = ''; !isOver(look); look = await lookAtCluster(given, context)) {
      // States are told one below the other, figures in the bar.
      const states = statesIn(look).join('; ');
      if (states !== before && !output.json) output.remark(states);
      before = states;
      await sleep(betweenLooksMs);
    }
  } finally {
    progress.end();
  }
  const took = seconds();
  output.result({ seconds: took }, () => `all serve, after ${humanDuration(took)}`);
}

/** Nobody is on the way to serve any more. Pure. */
export function isOver(look: ClusterLook): boolean {
  return statesIn(look).length === 0;
}

/** Who does not serve yet, and in which state he is. Nobody waits for an iod that was evicted. */
function statesIn({ status }: ClusterLook): readonly string[] {
  if (status === undefined) return ['mgr: unreachable'];
  const away = status.members.filter(({ state }) => state !== 'serving' && state !== 'evicted');
  return [
    ...(status.state === 'ACTIVE' ? [] : [`mgr: ${status.state.toLowerCase()}`]),
    ...away.map(({ name, state }) => `${printable(name)}: ${state}`),
  ];
}

/** How far they are together, and what else is known of them. Pure. */
export function stepsOf({ status }: ClusterLook): Omit<Figures, 'seconds'> {
  if (status === undefined) {
    return { done: 0, total: null, unit: 'steps', also: ['mgr: unreachable'] };
  }
  const parts = [...(status.recovery ? [status.recovery] : []), ...status.absences];
  const total = parts.reduce((sum, part) => sum + part.total, 0);
  const done = parts.reduce((sum, part) => sum + part.done, 0);
  return { done, total: total === 0 ? null : total, unit: 'steps', also: detailsOf(status) };
}

function detailsOf({ recovery, absences, members }: ClusterStatus): readonly string[] {
  return [
    ...(recovery ? [`mgr: ${progressText(recovery, 'session')}`] : []),
    ...absences.flatMap(({ index, leftMs }) => {
      const { name = `iod ${index}`, state = 'absent' } = members[index] ?? {};
      const lease = leftMs === undefined ? '' : `, at most ${humanDuration(leftMs / 1000)} left`;
      return [`${printable(name)}: ${state}${lease}`];
    }),
  ];
}
