/** Iods that are what a test says they are. */
import { FsError } from '../../shared/errno.ts';
import { iodOfColumn } from '../../shared/stripe.ts';
import type { Handle, SessionId } from '../../shared/units.ts';
import type { OpenEntry } from '../../shared/wire/values.ts';
import type { AskedSize, ClusterNeeds, ClusterPort } from '../../mgr/cluster-port.ts';
import type { Inode } from '../../mgr/store/rows.ts';

/** What the iods know and do: it outlives the mgr. */
export class FakeIods {
  /** By handle; what is not here is empty. */
  readonly sizes = new Map<Handle, number>();
  /** Of these, bytes that take no place. */
  readonly holes = new Map<Handle, number>();
  readonly entries: OpenEntry[] = [];
  readonly truncated: Handle[] = [];
  /** Bytes that files have got in one piece. */
  readonly placed = new Map<Handle, string>();
  readonly fenced: SessionId[] = [];
  asked = 0;
  /** False: one of them cannot be asked. */
  exact = true;
  /** True: they cannot be reached, and no longer serve anybody. */
  away = false;
  /** Awaited before a question is answered, a truncation carried out, a session fenced. */
  gate: Promise<void> = Promise.resolve();

  /** Everything that asks the iods waits from now on. @returns what lets it go on */
  hold(): () => void {
    const gate = new AbortController();
    this.gate = new Promise((resolve) => {
      gate.signal.addEventListener('abort', () => resolve());
    });
    return () => gate.abort();
  }
}

export class FakeCluster implements ClusterPort {
  readonly iodTotal = 4;
  readonly handlers: ClusterPort['handlers'];
  readonly #needs: ClusterNeeds;
  readonly #iods: FakeIods;

  constructor(needs: ClusterNeeds, iods: FakeIods) {
    this.#needs = needs;
    this.#iods = iods;
    this.handlers = {
      join: refuse,
      snapshot: refuse,
      compare: refuse,
      confirm: refuse,
      serving: refuse,
      draining: refuse,
      report: refuse,
      evictIod: refuse,
      members: () => ({ hostId: 'here', members: [] }),
      pingIods: () => ({ results: [] }),
    };
  }

  members() {
    return [];
  }

  absences() {
    return [];
  }

  ask(): Promise<never> {
    return Promise.reject(new FsError('EHOSTUNREACH'));
  }

  waits() {
    return [];
  }

  space() {
    return { totalBytes: 100, freeBytes: 60, partial: false };
  }

  opened(entry: OpenEntry): void {
    this.#iods.entries.push(entry);
  }

  freed(): void {}

  committed(): void {}

  async askSize({ handle }: Inode): Promise<AskedSize> {
    this.#iods.asked++;
    await this.#answer();
    const { sizes, holes, exact } = this.#iods;
    const size = sizes.get(handle) ?? 0;
    const allocated = exact ? size - (holes.get(handle) ?? 0) : undefined;
    return { size, allocated, modified: undefined, exact };
  }

  async truncate({ handle, layout, size }: Inode): Promise<void> {
    await this.#answer();
    if (layout === undefined || this.#iods.away) return;
    const { store, view } = this.#needs;
    const rows = Array.from({ length: layout.pcount }, (_, column) =>
      store.pending(iodOfColumn(layout, column), (handle - 1) as Handle, 1),
    )
      .flat()
      .filter((row) => row.handle === handle);
    if (rows.length === 0) return;
    this.#iods.truncated.push(handle);
    this.#iods.sizes.set(handle, Math.min(size, this.#iods.sizes.get(handle) ?? 0));
    for (const row of rows) view.add({ kind: 'delete-pending', row });
    await this.#needs.commits.durable();
  }

  async place({ handle }: Inode, bytes: Uint8Array): Promise<void> {
    await this.#answer();
    if (this.#iods.away) throw new FsError('EAGAIN', { id: 'WEFT_E_IOD_DOWN', retryAfterMs: 100 });
    this.#iods.placed.set(handle, Buffer.from(bytes).toString('latin1'));
    this.#iods.sizes.set(handle, bytes.length);
  }

  async fence(session: SessionId): Promise<void> {
    await this.#answer();
    this.#iods.fenced.push(session);
  }

  /** A mgr that was killed meanwhile hears of nothing any more: its timers are dead. */
  async #answer(): Promise<void> {
    await this.#iods.gate;
    await new Promise<void>((resolve) => {
      this.#needs.runtime.clock.timer(0, resolve);
    });
  }

  disconnected(): void {}

  close(): void {}
}

function refuse(): never {
  throw new FsError('ENOSYS');
}
