/**
 * Faults that an operator asks for, on the links of the iods to this mgr. Each ends by itself, or with
 * this process, whatever becomes of who has asked for it.
 */
import { FsError } from '../shared/errno.ts';
import type { Acceptor } from '../shared/rpc/acceptor.ts';
import type { Peer } from '../shared/rpc/connection.ts';
import type { Runtime, Timer } from '../shared/runtime/runtime.ts';

export interface Drill {
  /** `cut`: it has no connection. `slow`: what the mgr sends leaves later. */
  readonly fault: 'cut' | 'slow';
  /** Of a slow one. */
  readonly delayMs: number;
  readonly seconds: number;
}

interface Running extends Drill {
  readonly end: Timer;
}

export class Drills {
  readonly #runtime: Pick<Runtime, 'clock' | 'log'>;
  readonly #find: Acceptor['find'];
  /** By the name of the iod. */
  readonly #running = new Map<string, Running>();

  /** @param find the connections of this mgr */
  constructor(runtime: Pick<Runtime, 'clock' | 'log'>, find: Acceptor['find']) {
    this.#runtime = runtime;
    this.#find = find;
  }

  /** Takes the place of an earlier one on the same link. */
  begin(iod: string, drill: Drill): void {
    const { clock, log } = this.#runtime;
    this.#running.get(iod)?.end.cancel();
    const end = clock.timer(drill.seconds * 1000, () => {
      this.#running.delete(iod);
      log.warn('drill over', { iod, fault: drill.fault });
    });
    this.#running.set(iod, { ...drill, end });
    log.warn('drill begun', { iod, ...drill });
    if (drill.fault !== 'cut') return;
    this.#find({ role: 'iod', node: iod, session: undefined })?.close(cutError(iod));
  }

  /** For the door. @throws FsError ECONNREFUSED while the link is cut */
  requireWhole({ role, node }: Pick<Peer, 'role' | 'node'>): void {
    if (role === 'iod' && this.#running.get(node)?.fault === 'cut') throw cutError(node);
  }

  /** How much later what is sent to a peer leaves, milliseconds. */
  delayMs({ role, node }: Peer): number {
    const drill = role === 'iod' ? this.#running.get(node) : undefined;
    return drill?.fault === 'slow' ? drill.delayMs : 0;
  }

  close(): void {
    for (const { end } of this.#running.values()) end.cancel();
    this.#running.clear();
  }
}

function cutError(iod: string): FsError {
  return new FsError('ECONNREFUSED', { what: `a drill has cut the link of ${iod}` });
}
