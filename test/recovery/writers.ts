/** Writers as processes of their own, whose acknowledged steps a ledger keeps. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Owner } from '../system/cluster-fixture.ts';
import type { Limits } from '../system/daemon.ts';
import { kept } from '../system/keepsafe.ts';
import { type Lane, laneNames } from './lanes.ts';
import { type Ack, Ledger } from './ledger.ts';
import { programWords } from '../../scripts/project.ts';

/** What a writer tells. */
export type Report =
  | { readonly kind: 'begun' | 'ended' }
  | ({ readonly kind: 'done' } & Ack)
  | { readonly kind: 'failed'; readonly id: string; readonly what: string };

export interface WriterWish {
  readonly url: string;
  readonly limits?: Limits | undefined;
  /** Dies there by itself. */
  readonly killPoint?: string | undefined;
}

export class Writer {
  readonly number: number;
  readonly child: ChildProcess;
  /** All that it told has been heard. */
  readonly ended: Promise<void>;
  /** When a step of each lane was last heard of, in milliseconds of the monotonic clock. */
  readonly heardAt = new Map<Lane, number>();
  /** We end it, or mean it to end: it need not end in order. */
  mayEnd = false;
  failure: Extract<Report, { kind: 'failed' }> | undefined;

  constructor(number: number, child: ChildProcess, ended: Promise<void>) {
    this.number = number;
    this.child = child;
    this.ended = ended;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Returns when it is gone, and all that it told has been heard. */
  async kill(): Promise<void> {
    this.mayEnd = true;
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

export class Writers {
  readonly ledger = new Ledger();
  /** Between two steps of a lane. */
  longestPauseMs = 0;
  readonly #owner: Owner;
  readonly #all: Writer[] = [];
  readonly #waiting = new Set<() => void>();
  #failure: Error | undefined;

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  get running(): readonly Writer[] {
    return this.#all.filter(({ isRunning, mayEnd }) => isRunning && !mayEnd);
  }

  /** For so long no writer that runs has done a step. */
  get silentMs(): number {
    const times = this.running.flatMap(({ heardAt }) => [...heardAt.values()]);
    return performance.now() - Math.max(...times);
  }

  /** Starts one; returns when it works. @throws Error when it does not come so far */
  async add({ url, limits = {}, killPoint = '' }: WriterWish): Promise<Writer> {
    const number = this.#all.length + 1;
    const words = [
      ...programWords('test/recovery/writer-program.ts'),
      url,
      String(number),
      JSON.stringify(limits),
    ];
    const child = kept(
      spawn(process.execPath, words, {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        env: { ...process.env, WEFT_KILL_POINT: killPoint },
      }),
    );
    this.#owner.teardown(() => child.kill('SIGKILL'));
    // The channel ends behind the last report.
    const ended = new Promise<void>((resolve) => child.once('disconnect', resolve));
    const writer = new Writer(number, child, ended);
    writer.mayEnd = killPoint !== '';
    this.#all.push(writer);
    this.ledger.begin(number);
    const begun = new Promise<void>((resolve) => {
      child.on('message', (report: Report) => {
        if (report.kind === 'begun') resolve();
        this.#heard(writer, report);
      });
    });
    void ended.then(() => this.#ended(writer));
    // One that is to die by itself may do so before it has begun.
    await Promise.race([begun, this.failed(), ...(writer.mayEnd ? [ended] : [])]);
    return writer;
  }

  /** Every writer that runs did so many more steps of each lane. @throws Error when one failed */
  async progress(steps: number): Promise<void> {
    const goals = this.running.flatMap((writer) =>
      laneNames.map((lane) => ({ writer, lane, goal: this.#steps(writer, lane) + steps })),
    );
    await this.#until(() =>
      goals.every(({ writer, lane, goal }) => writer.mayEnd || this.#steps(writer, lane) >= goal),
    );
  }

  /** Lets each finish its steps, and kills those that may end anyhow. @throws Error when one failed */
  async stop(): Promise<void> {
    const { running } = this;
    const others = this.#all.filter((one) => one.isRunning && !running.includes(one));
    for (const { child } of running) child.send('stop');
    const ends = [...running.map(({ ended }) => ended), ...others.map((one) => one.kill())];
    await Promise.race([Promise.all(ends), this.failed()]);
    this.#check();
  }

  #steps({ number }: Writer, lane: Lane): number {
    return this.ledger.done(number, lane).least;
  }

  #heard(writer: Writer, report: Report): void {
    if (report.kind === 'done') {
      const now = performance.now();
      const pauseMs = now - (writer.heardAt.get(report.lane) ?? now);
      this.longestPauseMs = Math.max(this.longestPauseMs, pauseMs);
      writer.heardAt.set(report.lane, now);
      this.ledger.acknowledge(writer.number, report);
    } else if (report.kind === 'ended') {
      writer.mayEnd = true;
      this.ledger.endedInOrder(writer.number);
    } else if (report.kind === 'failed') {
      writer.failure = report;
      if (!writer.mayEnd) this.#fail(`writer ${writer.number}: ${report.what}`);
    }
    this.#wake();
  }

  #ended(writer: Writer): void {
    if (!writer.mayEnd) this.#fail(`writer ${writer.number} ended before it was told to`);
    this.#wake();
  }

  #fail(what: string): void {
    this.#failure ??= new Error(what);
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  #check(): void {
    if (this.#failure) throw this.#failure;
  }

  async #until(isTrue: () => boolean): Promise<void> {
    for (;;) {
      this.#check();
      if (isTrue()) return;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Never returns. @throws Error when a writer failed */
  async failed(): Promise<never> {
    await this.#until(() => false);
    throw new Error('it waits for ever');
  }
}
