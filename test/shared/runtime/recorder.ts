/** Handlers that write down what they hear, and let a test wait for it. */
import type { ExecutionContext } from 'ava';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Frames } from '../../../shared/runtime/node/listen.ts';
import { makeNet } from '../../../shared/runtime/node/net.ts';
import type {
  Channel,
  ChannelHandlers,
  Endpoint,
  Listener,
  ListenOptions,
  Net,
} from '../../../shared/runtime/runtime.ts';
import { silentLog } from '../../../shared/runtime/log.ts';

export interface Entry {
  readonly body: string;
  readonly payload: string;
}

export class Recorder implements ChannelHandlers {
  readonly entries: Entry[] = [];
  readonly sinkCalls: { body: string; payloadBytes: number }[] = [];
  drainedCalls = 0;
  readonly closedWith: Error[] = [];
  callsAfterClosed = 0;
  #waiting: { until: () => boolean; resolve: () => void }[] = [];
  sink: (body: Uint8Array, payloadBytes: number) => readonly Uint8Array[] | undefined = () =>
    undefined;
  onEntry: (entry: Entry) => void = () => undefined;

  payloadSink(body: Uint8Array, payloadBytes: number): readonly Uint8Array[] | undefined {
    this.#heard();
    this.sinkCalls.push({ body: hex(body), payloadBytes });
    return this.sink(body, payloadBytes);
  }

  entry(body: Uint8Array, payload: readonly Uint8Array[]): void {
    this.#heard();
    const entry = { body: hex(body), payload: hex(Buffer.concat(payload)) };
    this.entries.push(entry);
    this.onEntry(entry);
    this.#wake();
  }

  drained(): void {
    this.#heard();
    this.drainedCalls++;
    this.#wake();
  }

  closed(reason: Error): void {
    this.#heard();
    this.closedWith.push(reason);
    this.#wake();
  }

  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve) => this.#waiting.push({ until: condition, resolve }));
  }

  /** The reason, once it is closed. */
  async closedReason(): Promise<Error> {
    await this.until(() => this.closedWith.length > 0);
    return this.closedWith[0] as Error;
  }

  #heard(): void {
    if (this.closedWith.length > 0) this.callsAfterClosed++;
  }

  #wake(): void {
    const ready = this.#waiting.filter(({ until }) => until());
    this.#waiting = this.#waiting.filter((one) => !ready.includes(one));
    for (const { resolve } of ready) resolve();
  }
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** One entry as it travels. */
export function entryBytes(body: Uint8Array, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(body.length, 0);
  head.writeUInt32LE(payload.length, 4);
  return Buffer.concat([head, body, payload]);
}

export function netOf(frames: Frames, greetingTimeoutMs = 60_000): Net {
  return makeNet({ log: silentLog, frames, greetingTimeoutMs });
}

export const loopback: Endpoint = { kind: 'tcp', host: '127.0.0.1', port: 0 };

/** A temporary directory that goes with the test. */
export async function temporaryDirectory(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'weft-'));
  t.teardown(async () => rm(path, { recursive: true, force: true }));
  return path;
}

/** A listener that closes with the test. */
export async function listening(
  t: ExecutionContext,
  net: Net,
  options: Partial<ListenOptions> = {},
): Promise<Listener> {
  const listener = await net.listen({
    endpoint: loopback,
    accept: () => new Recorder(),
    connectionsMax: 100,
    ...options,
  });
  t.teardown(async () => listener.close());
  return listener;
}

export interface Pair {
  readonly near: Channel;
  readonly nearHears: Recorder;
  readonly far: Channel;
  readonly farHears: Recorder;
  readonly listener: Listener;
}

/** Two ends of one connection: `near` connected, `far` was accepted. */
export async function pair(
  t: ExecutionContext,
  { near: nearFrames, far: farFrames }: { near: Frames; far: Frames },
  endpoint = loopback,
): Promise<Pair> {
  const nearHears = new Recorder();
  const farHears = new Recorder();
  let accepted: Channel | undefined;
  const listener = await listening(t, netOf(farFrames), {
    endpoint,
    accept(channel) {
      accepted = channel;
      return farHears;
    },
  });
  const near = await netOf(nearFrames).connect(listener.endpoint, { timeoutMs: 60_000 }, nearHears);
  t.teardown(() => near.close(new Error('end of test')));
  if (accepted === undefined) throw new Error('connected, but nothing was accepted');
  return { near, nearHears, far: accepted, farHears, listener };
}
