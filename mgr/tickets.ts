/**
 * Tickets: who holds the key of the cluster lets somebody else in, once and soon. They are
 * forgotten with the process.
 */
import { FsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';
import type { SessionRow } from './store/rows.ts';

/** What the session may do that begins with a ticket, and as whom: `UID:GID`. */
export interface Ticket {
  readonly user: string;
  readonly readOnly: boolean;
}

/** Also in a cluster without a secret nobody guesses it. */
const nameBytes = 16;

export class Tickets {
  readonly #runtime: Pick<Runtime, 'clock' | 'random'>;
  /** The oldest first. */
  readonly #tickets = new Map<string, Ticket & { readonly endsAt: number }>();

  constructor(runtime: Pick<Runtime, 'clock' | 'random'>) {
    this.#runtime = runtime;
  }

  /** One for somebody who shall act as the user of this session. The oldest of too many goes. */
  make(
    { uid, gid }: Pick<SessionRow, 'uid' | 'gid'>,
    readOnly: boolean,
  ): { readonly name: string; readonly lifeMs: number } {
    const { clock, random } = this.#runtime;
    const name = Buffer.from(random.bytes(nameBytes)).toString('hex');
    const lifeMs = limits.ticketLifeMs;
    const [oldest] = this.#tickets.keys();
    if (oldest !== undefined && this.#tickets.size >= limits.ticketsMax) {
      this.#tickets.delete(oldest);
    }
    this.#tickets.set(name, { user: `${uid}:${gid}`, readOnly, endsAt: clock.now() + lifeMs });
    return { name, lifeMs };
  }

  /** From now on it is worth nothing. @throws FsError EKEYREJECTED, WEFT_E_TICKET */
  take(name: string): Ticket {
    const ticket = this.#tickets.get(name);
    this.#tickets.delete(name);
    if (ticket !== undefined && this.#runtime.clock.now() < ticket.endsAt) return ticket;
    throw new FsError('EKEYREJECTED', { id: 'WEFT_E_TICKET' });
  }
}
