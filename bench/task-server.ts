/** The other end of a `Worker`: carries out one task at a time, and says what it took. */
import type { Outcome } from './tasks.ts';

/** @returns how many calls or bytes were done; it takes the tasks that its own `Worker` sends */
type Perform = (task: never) => Promise<number> | number;

export function serveTasks(perform: Perform): void {
  process.on('message', (task) => {
    measure(perform, task as never).then(
      (outcome) => process.send?.({ outcome }),
      (error: unknown) => process.send?.({ error: String(error) }),
    );
  });
  process.once('disconnect', () => process.exit(0));
  process.send?.({ outcome: undefined });
}

async function measure(perform: Perform, task: never): Promise<Outcome> {
  const cpuBefore = process.cpuUsage();
  const begun = performance.timeOrigin + performance.now();
  const done = await perform(task);
  const ended = performance.timeOrigin + performance.now();
  const { user, system } = process.cpuUsage(cpuBefore);
  return { done, begun, ended, cpuUs: user + system };
}
