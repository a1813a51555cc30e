/**
 * The last reply in every slot of a session, stored with the change that it tells of. A request
 * that comes again gets it again, also after a restart (DESIGN promise 5).
 */
import type { SessionId } from '../shared/units.ts';
import type { Participant } from './committer.ts';
import type { MetaView } from './store/batch.ts';
import type { MetaStore } from './store/meta-store.ts';
import type { ReplyRow } from './store/rows.ts';

/** By slot. */
type Replies = Map<number, ReplyRow>;

export class ReplyCache implements Participant {
  readonly #view: MetaView;
  readonly #store: Pick<MetaStore, 'replies'>;
  /** Sessions whose replies are in memory; those of the others are in the store only. */
  readonly #sessions = new Map<SessionId, Replies>();
  /** Sessions with something that is not durable yet. */
  readonly #unsettled = new Set<SessionId>();

  constructor(view: MetaView, store: Pick<MetaStore, 'replies'>) {
    this.#view = view;
    this.#store = store;
  }

  find(session: SessionId, slot: number): ReplyRow | undefined {
    return this.#repliesOf(session).get(slot);
  }

  /** The reply becomes durable with the change, in the commit of this tick. */
  put(row: ReplyRow): void {
    this.#repliesOf(row.session).set(row.slot, row);
    this.#unsettled.add(row.session);
    this.#view.add({ kind: 'put-reply', row });
  }

  /** A session that begins has none in the store. */
  begin(session: SessionId): void {
    this.#sessions.set(session, new Map());
    this.#unsettled.add(session);
  }

  /** The session is gone; its rows go with it. */
  forget(session: SessionId): void {
    this.#sessions.delete(session);
    this.#unsettled.delete(session);
  }

  settle(): void {
    this.#unsettled.clear();
  }

  discard(): void {
    for (const session of this.#unsettled) this.#sessions.delete(session);
    this.#unsettled.clear();
  }

  #repliesOf(session: SessionId): Replies {
    let replies = this.#sessions.get(session);
    if (replies === undefined) {
      replies = new Map(this.#store.replies(session).map((row) => [row.slot, row]));
      this.#sessions.set(session, replies);
    }
    return replies;
  }
}
