/** What the parts of a world share. The World is the only one. */
import type { KillPoint } from '../../../shared/runtime/kill-points.ts';
import type { LogBook } from './log.ts';
import type { Network } from './network.ts';
import type { Incarnation } from './process.ts';
import type { Rings } from './rings.ts';
import type { SimRandom } from './random.ts';
import type { Timeline } from './timeline.ts';

export interface Kernel {
  readonly timeline: Timeline;
  readonly random: SimRandom;
  readonly network: Network;
  readonly log: LogBook;
  readonly rings: Rings;
  /** Puts an event of the world itself into the trace. */
  note(who: string, what: string): void;
  /** Runs code of a process: traced, and what it throws or rejects is its failure. */
  execute(owner: Incarnation, what: string, detail: string | number, run: () => void): void;
  /** A process passes a kill point. */
  pass(owner: Incarnation, point: KillPoint): void;
}
