/**
 * One client of a run: it connects, lets its lanes work at the same time, leaves now and then with
 * files open, and comes back.
 */
import { connect } from '../../client/connect.ts';
import type { FileSystem } from '../../client/file-system.ts';
import { isFsError } from '../../shared/errno.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import { clusterUrl, secret } from './cluster.ts';
import { isExcused, Lane, type LaneHome, type WorkloadOptions } from './lane.ts';

/** Some clients are busy, some think. */
const pauseMaxMs = [1, 10, 50, 400] as const;
const lanesMax = 3;
const giveBackMs = 60_000;
const pollMs = 100;

export class Client implements LaneHome {
  readonly name: string;
  readonly #options: WorkloadOptions;
  readonly #lanes: readonly Lane[];
  #fs: FileSystem | undefined;
  #connecting: Promise<void> | undefined;
  #lastSession = 0;

  constructor(name: string, options: WorkloadOptions) {
    this.name = name;
    this.#options = options;
    const count = 1 + options.random.below(lanesMax);
    this.#lanes = Array.from({ length: count }, (_, number) => new Lane(this, number, options));
  }

  /** @param more asked before each call */
  async run(runtime: Runtime, more: () => boolean): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => this.#runLane(lane, runtime, more)));
    const fs = this.#fs;
    if (fs === undefined) return;
    for (const lane of this.#lanes) await lane.closeAll(fs);
    if (this.isCurrent(fs)) await this.#untilNothingIsOpen(runtime);
    await this.leave(fs);
  }

  /** I3, while the session lives: what nobody has got, or wants, is given back all the same. */
  async #untilNothingIsOpen(runtime: Runtime): Promise<void> {
    const { session } = this;
    for (let leftMs = giveBackMs; this.#options.opensOf(session) > 0; leftMs -= pollMs) {
      if (leftMs <= 0) throw new Error(`I3: session ${session} has closed all, and has files open`);
      await pause(runtime, pollMs);
    }
  }

  died(): void {
    for (const lane of this.#lanes) lane.died();
    this.#fs = undefined;
    this.#connecting = undefined;
  }

  get session(): number {
    try {
      this.#lastSession = this.#fs?.session.session.id ?? this.#lastSession;
    } catch (error) {
      if (!isFsError(error)) throw error;
    }
    return this.#lastSession;
  }

  isCurrent(fs: FileSystem): boolean {
    return this.#fs === fs;
  }

  async leave(fs: FileSystem): Promise<void> {
    if (!this.isCurrent(fs)) return;
    void this.session;
    this.#fs = undefined;
    for (const lane of this.#lanes) lane.lost();
    await this.#options.watch('close session', 20_000, fs.close());
  }

  async #runLane(lane: Lane, runtime: Runtime, more: () => boolean): Promise<void> {
    const { random, thinkMs } = this.#options;
    const pauseMs = random.pick(pauseMaxMs);
    while (more()) {
      const fs = this.#fs;
      if (fs === undefined) await this.#connect(runtime);
      else if (random.chance(0.004)) await this.leave(fs);
      else await lane.step(fs);
      await pause(runtime, thinkMs() + random.fraction() * pauseMs);
    }
  }

  /** Once for all lanes that wait for it. */
  #connect(runtime: Runtime): Promise<void> {
    this.#connecting ??= this.#connectOnce(runtime).finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connectOnce(runtime: Runtime): Promise<void> {
    try {
      const options = { runtime, key: secret, name: this.name, uid: 0, gid: 0, umask: 0 };
      this.#fs = await this.#options.watch('connect', 20_000, connect(clusterUrl, options));
    } catch (error) {
      if (!isExcused(error, this.#options)) throw error;
    }
  }
}

export function pause({ clock }: Runtime, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.timer(ms, resolve);
  });
}
