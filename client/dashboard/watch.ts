/** Looks at the cluster again and again, and tells what it sees. */
import type { Epoch, IodIndex } from '../../shared/units.ts';
import { toFsError } from '../../shared/errno.ts';
import { dataOps } from '../../shared/wire/iod-ops.ts';
import type { ClusterStatus } from '../file-system.ts';
import type { Session } from '../mgr-session.ts';
import type { PageFileSystem } from '../browser/connect.ts';
import { type Activity, withCounters } from './model/activity.ts';
import { eventsAfter } from '../observing/events.ts';
import { type ShownEvent, shownEvent, silenceEvents, withEvents } from './model/events.ts';

export interface Picture {
  /** What the mgr said last. */
  readonly status: ClusterStatus;
  /** Why it does not answer now. */
  readonly silence: string | undefined;
  readonly epoch: Epoch;
  /** The latest first. */
  readonly events: readonly ShownEvent[];
  /** By name of the daemon. */
  readonly activities: ReadonlyMap<string, Activity>;
}

/** A look: what the mgr says, or why it does not. */
type Look =
  | { readonly status: ClusterStatus; readonly silence: undefined }
  | { readonly silence: string };

/** What every view gets. */
export interface ViewProps {
  readonly fs: PageFileSystem;
  /** Who this page is at the mgr. */
  readonly self: Session;
  readonly picture: Picture;
}

const betweenLooksMs = 1000;
const patienceMs = 2000;
/** The counters are looked at in each second look. */
const looksPerCount = 2;

export interface WatchListener {
  /** After each look, the first time when the mgr has answered. */
  readonly seen: (picture: Picture) => void;
  /** The session has ended: nothing can be seen any more. */
  readonly ended: () => void;
}

export class ClusterWatch {
  readonly #fs: PageFileSystem;
  readonly #listener: WatchListener;
  #picture: Picture | undefined;
  #looks = 0;
  /** Number of the latest event that is shown. */
  #lastEvent = 0;
  #timer: number | undefined;

  constructor(fs: PageFileSystem, listener: WatchListener) {
    this.#fs = fs;
    this.#listener = listener;
    void this.#goOn();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #end(): void {
    this.stop();
    this.#listener.ended();
    void this.#fs.close();
  }

  async #goOn(): Promise<void> {
    this.#timer = 0;
    await this.#lookOnce();
    if (this.#timer === undefined) return;
    this.#timer = window.setTimeout(() => void this.#goOn(), betweenLooksMs);
  }

  async #lookOnce(): Promise<void> {
    const look = await this.#look();
    const before = this.#picture;
    const { silence } = look;
    const shown = before?.events ?? [];
    const own = silenceEvents(before?.silence, silence, Date.now());
    if (silence !== undefined) {
      if (before !== undefined) this.#tell({ ...before, silence, events: withEvents(shown, own) });
      return;
    }
    const { status } = look;
    const counts = this.#looks++ % looksPerCount === 0;
    const activities = counts ? await this.#count(status) : (before?.activities ?? new Map());
    const epoch = this.#fs.session.epochs.newest;
    const events = withEvents(shown, [...(await this.#freshEvents()), ...own]);
    this.#tell({ status, silence, epoch, events, activities });
  }

  #tell(picture: Picture): void {
    this.#picture = picture;
    this.#listener.seen(picture);
  }

  async #look(): Promise<Look> {
    try {
      const status = await this.#fs.status({ deadlineMs: patienceMs });
      return { status, silence: undefined };
    } catch (error) {
      const { weftCode, what, message } = toFsError(error);
      // It would begin a new session, and its ticket is spent.
      if (weftCode === 'WEFT_E_TICKET') this.#end();
      return { silence: what ?? message };
    }
  }

  async #freshEvents(): Promise<readonly ShownEvent[]> {
    const { session } = this.#fs;
    const fresh: ShownEvent[] = [];
    try {
      for (let done = false; !done;) {
        const deadline = session.runtime.clock.now() + patienceMs;
        const page = await eventsAfter({ session, deadline }, this.#lastEvent);
        fresh.push(...page.events.map(shownEvent));
        this.#lastEvent = page.next;
        ({ done } = page);
      }
    } catch {
      // The next look asks for them again; that the mgr does not answer it tells by itself.
    }
    return fresh;
  }

  /** Of the mgr, and of each iod that serves, asked by itself. */
  async #count(status: ClusterStatus): Promise<ReadonlyMap<string, Activity>> {
    const before = this.#picture?.activities;
    const ofMgr = { atMs: performance.now(), readBytes: 0, writtenBytes: 0, ...status };
    const counted = new Map([['mgr', withCounters(before?.get('mgr'), ofMgr)]]);
    await Promise.all(
      status.members.map(async ({ index, name, state }) => {
        const earlier = before?.get(name);
        const now = state === 'serving' ? await this.#countersOf(index) : undefined;
        if (now !== undefined) counted.set(name, withCounters(earlier, now));
        else if (earlier !== undefined) counted.set(name, earlier);
      }),
    );
    return new Map([...counted].toSorted(([a], [b]) => a.localeCompare(b)));
  }

  async #countersOf(index: IodIndex) {
    const deadline = this.#fs.session.runtime.clock.now() + patienceMs;
    try {
      const status = await this.#fs.iods.iod(index).call(dataOps.iodStatus, {}, { deadline });
      return { ...status, atMs: performance.now() };
    } catch {
      // That it does not answer is told by the mgr; what it did meanwhile nobody knows.
      return undefined;
    }
  }
}
