/** The smallest talk over channels, for the tests of the simulated network. */
import type {
  Channel,
  ChannelHandlers,
  Endpoint,
  Listener,
  Runtime,
} from '../../../shared/runtime/runtime.ts';

/** One packet of one entry. */
export function entryOf(text: string, payload: Uint8Array = new Uint8Array()): Uint8Array[] {
  const body = Buffer.from(text);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(body.length, 0);
  head.writeUInt32LE(payload.length, 4);
  return payload.length === 0 ? [head, body] : [head, body, payload];
}

/** Keeps what it hears. */
export class Ear implements ChannelHandlers {
  readonly heard: string[] = [];
  readonly payloads: Buffer[] = [];
  readonly reasons: Error[] = [];
  drainedCount = 0;
  readonly #onEntry: (text: string, payload: Buffer) => void;

  constructor(onEntry: (text: string, payload: Buffer) => void = () => undefined) {
    this.#onEntry = onEntry;
  }

  payloadSink(): readonly Uint8Array[] | undefined {
    return undefined;
  }

  entry(body: Uint8Array, payload: readonly Uint8Array[]): void {
    const text = Buffer.from(body).toString();
    const bytes = Buffer.concat(payload);
    this.heard.push(text);
    if (bytes.length > 0) this.payloads.push(bytes);
    this.#onEntry(text, bytes);
  }

  drained(): void {
    this.drainedCount++;
  }

  closed(reason: Error): void {
    this.reasons.push(reason);
  }
}

export function at(host: string, port = 7300): Endpoint {
  return { kind: 'tcp', host, port };
}

/** Listens; each connection gets the ear that `earOf` makes. */
export function listen(
  runtime: Runtime,
  earOf: (channel: Channel) => ChannelHandlers,
  options: { readonly endpoint?: Endpoint; readonly connectionsMax?: number } = {},
): Promise<Listener> {
  return runtime.net.listen({
    endpoint: options.endpoint ?? at('0.0.0.0'),
    connectionsMax: options.connectionsMax ?? 100,
    accept: earOf,
  });
}

export function connect(
  runtime: Runtime,
  endpoint: Endpoint,
  ear: ChannelHandlers,
  timeoutMs = 5_000,
): Promise<Channel> {
  return runtime.net.connect(endpoint, { timeoutMs }, ear);
}
