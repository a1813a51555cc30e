/** What has happened between two looks at a cluster. Pure. */
import type { ClusterStatus } from '../../file-system.ts';

export type Grade = 'good' | 'warning' | 'bad';

export interface ClusterEvent {
  /** Milliseconds since 1970, by the clock of the page. */
  readonly atMs: number;
  readonly grade: Grade;
  readonly text: string;
}

/** Of the latest so many are kept. */
export const eventsMax = 200;

/** A look: what the mgr says, or why it does not. */
export type Look = { readonly status: ClusterStatus } | { readonly silence: string };

export function eventsBetween(before: Look, now: Look, atMs: number): readonly ClusterEvent[] {
  const event = (grade: Grade, text: string): ClusterEvent => ({ atMs, grade, text });
  if ('silence' in now) {
    return 'silence' in before ? [] : [event('bad', `the mgr does not answer: ${now.silence}`)];
  }
  if ('silence' in before) return [event('good', `the mgr answers: ${stateOf(now.status)}`)];
  const [was, is] = [before.status, now.status];
  const found: ClusterEvent[] = [];
  if (is.uptimeMs < was.uptimeMs) found.push(event('warning', 'the mgr has started anew'));
  if (is.state !== was.state) {
    found.push(event(is.state === 'ACTIVE' ? 'good' : 'warning', `the mgr is ${stateOf(is)}`));
  }
  for (const { index, name, state, incarnation } of is.members) {
    const earlier = was.members.find((one) => one.index === index);
    if (earlier === undefined) continue;
    const again = incarnation === earlier.incarnation ? '' : `, start ${incarnation}`;
    if (state !== earlier.state || (again !== '' && state === 'serving')) {
      const grade = state === 'serving' ? 'good' : state === 'absent' ? 'bad' : 'warning';
      found.push(event(grade, `${name} is ${state}${again}`));
    }
  }
  return found;
}

function stateOf({ state }: ClusterStatus): string {
  return state.toLowerCase();
}
