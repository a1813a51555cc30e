/**
 * The changes of the open table on their way to one iod: in order, many per message, behind the
 * replies. Nobody waits for it; an iod that cannot keep up loses its connection, and syncs again.
 */
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Connection } from '../../shared/rpc/connection.ts';
import { iodOps } from '../../shared/wire/iod-ops.ts';
import type { OpenEntry } from '../../shared/wire/values.ts';

export class DeltaStream {
  readonly #connection: Connection;
  readonly #onBroken: (error: FsError) => void;
  /**
   * What waits, in the order of its numbers. An entry tells all there is of a session's rights to a
   * file, so the last one is enough: a file that was opened and closed meanwhile is one entry.
   */
  readonly #waiting = new Map<string, OpenEntry>();
  #inFlight = 0;
  /** Number of the last change that is for this iod; at first where the stream was cut. */
  #last: number;
  #sentUpTo: number;

  /**
   * @param cut the iod learns by snapshot what was up to here; what comes after it goes this way
   * @param onBroken the iod has missed something, or may have: it must sync again
   */
  constructor(connection: Connection, cut: number, onBroken: (error: FsError) => void) {
    this.#connection = connection;
    this.#onBroken = onBroken;
    this.#last = cut;
    this.#sentUpTo = cut;
  }

  /** Who has applied all up to here has missed nothing that was pushed so far. */
  get last(): number {
    return this.#last;
  }

  /** What waits fills a message. */
  get isFull(): boolean {
    return this.#waiting.size >= limits.opensPerSnapshotChunk;
  }

  /** A change that is durable and for this iod. Sent at the next `flush`. */
  push(entry: OpenEntry): void {
    if (entry.sequence <= this.#last) return; // it was before the cut
    this.#last = entry.sequence;
    const key = `${entry.handle} ${entry.session}`;
    this.#waiting.delete(key);
    this.#waiting.set(key, entry);
  }

  /** Sends what waits. */
  flush(): void {
    while (this.#waiting.size > 0 && this.#inFlight < limits.openMessagesInFlightPerIod) {
      this.#send(this.#take());
    }
    if (this.#waiting.size > limits.openChangesQueuedPerIod) {
      this.#break(new FsError('EAGAIN', { id: 'WEFT_E_BUSY', what: 'too many changes wait' }));
    }
  }

  /** The oldest, as many as a message holds. */
  #take(): OpenEntry[] {
    const entries: OpenEntry[] = [];
    for (const [key, entry] of this.#waiting) {
      if (entries.length === limits.opensPerSnapshotChunk) break;
      this.#waiting.delete(key);
      entries.push(entry);
    }
    return entries;
  }

  #send(entries: readonly OpenEntry[]): void {
    const after = this.#sentUpTo;
    const upTo = entries.at(-1)?.sequence ?? after;
    this.#sentUpTo = upTo;
    this.#inFlight++;
    const deadline = this.#connection.clock.now() + limits.callDeadlineDefaultMs;
    this.#connection.call(iodOps.applyOpens, { after, upTo, entries }, { deadline }).then(
      (reply) => {
        this.#inFlight--;
        if (reply.upTo >= upTo) this.flush();
        else this.#break(new FsError('EPROTO', { what: `${upTo} acknowledged as ${reply.upTo}` }));
      },
      (error: FsError) => {
        this.#break(error);
      },
    );
  }

  #break(error: FsError): void {
    this.#waiting.clear();
    this.#onBroken(error);
  }
}
