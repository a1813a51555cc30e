/**
 * Throughput of one connection between two processes on this host: our direct frames and stock
 * `ws` against a bare socket, in one run, so that the ratios can be carried over.
 *
 *     node --import=tsx bench/transport.ts [--json] [--seconds=1] [--rounds=3]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Channel, ChannelHandlers, Endpoint } from '../shared/runtime/runtime.ts';
import { makeNet } from '../shared/runtime/node/net.ts';

const payloadBytes = 256 * 1024;
/** Entries that the sender has under way: 2 MiB, as two windows of an iod. */
const inFlightMax = 8;

const ways = ['raw', 'direct', 'portable', 'stock'] as const;
type Way = (typeof ways)[number];
const directions = ['write', 'read'] as const;
type Direction = (typeof directions)[number];
interface Run {
  readonly way: Way;
  /** `write`: from the connecting to the accepting process. */
  readonly direction: Direction;
  readonly kind: Endpoint['kind'];
  readonly seconds: number;
}

const silent = {
  enabled: () => false,
  error: console.error,
  warn: console.error,
  info() {},
  debug() {},
  child: () => silent,
};

// ------------------------------------------------------------- one side: pours or drains

/** Sends until time is up, then says so; resolves when all is with the kernel. */
function pour(send: (last: boolean, taken: () => void) => void, seconds: number): void {
  const end = performance.now() + seconds * 1000;
  let inFlight = 0;
  let done = false;
  const more = (): void => {
    while (!done && inFlight < inFlightMax) {
      done = performance.now() >= end;
      inFlight++;
      send(done, () => {
        inFlight--;
        more();
      });
    }
  };
  more();
}

interface Drained {
  readonly bytes: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** Counts what arrives until the last entry. */
class Meter {
  #bytes = 0;
  #begun = 0;
  #cpu = process.cpuUsage();
  readonly #report: (drained: Drained) => void;

  constructor(report: (drained: Drained) => void) {
    this.#report = report;
  }

  count(bytes: number): void {
    if (this.#bytes === 0) {
      this.#begun = performance.now();
      this.#cpu = process.cpuUsage();
    }
    this.#bytes += bytes;
  }

  end(): void {
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#report({
      bytes: this.#bytes,
      seconds: (performance.now() - this.#begun) / 1000,
      cpuSeconds: (user + system) / 1e6,
    });
  }
}

const payload = Buffer.alloc(payloadBytes, 7);

function entryHead(last: boolean): Buffer {
  const head = Buffer.alloc(8 + 64);
  head.writeUInt32LE(64, 0);
  head.writeUInt32LE(payloadBytes, 4);
  head[8] = last ? 1 : 0;
  return head;
}

function pourChannel(channel: Channel, seconds: number): void {
  pour((last, taken) => channel.send([entryHead(last), payload], taken), seconds);
}

function drainChannel(report: (drained: Drained) => void): ChannelHandlers {
  const meter = new Meter(report);
  const pool = Array.from({ length: inFlightMax }, () => Buffer.alloc(payloadBytes));
  let next = 0;
  return {
    payloadSink: () => [pool[next++ % inFlightMax] ?? Buffer.alloc(0)],
    entry(body) {
      meter.count(payloadBytes);
      if (body[0] === 1) meter.end();
    },
    drained() {},
    closed() {},
  };
}

function pourRaw(socket: net.Socket, seconds: number): void {
  pour((last, taken) => {
    socket.write(payload, taken);
    if (last) socket.end();
  }, seconds);
}

function rawTarget(endpoint: Endpoint) {
  return endpoint.kind === 'unix'
    ? { path: endpoint.path }
    : { host: endpoint.host, port: endpoint.port };
}

// ------------------------------------------------------------- the two processes

interface Serve {
  readonly run: Run;
  readonly endpoint: Endpoint;
}

function reportToParent(drained: Drained): void {
  process.send?.({ drained });
}

/** The child: accepts one connection and does the other half of the run. */
async function serve({ run, endpoint }: Serve): Promise<void> {
  if (run.way === 'raw') {
    const server = net.createServer((socket) => pourRaw(socket, run.seconds));
    server.listen({ ...rawTarget(endpoint) });
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    process.send?.({ endpoint: endpoint.kind === 'unix' ? endpoint : { ...endpoint, port } });
    return;
  }
  const listener = await makeNet({ log: silent, frames: run.way }).listen({
    endpoint,
    connectionsMax: 1,
    accept(channel) {
      if (run.direction === 'read') setImmediate(() => pourChannel(channel, run.seconds));
      return drainChannel(reportToParent);
    },
  });
  process.send?.({ endpoint: listener.endpoint });
}

async function receive<T>(child: ChildProcess, key: string): Promise<T> {
  for (;;) {
    const [message] = (await once(child, 'message')) as [Record<string, T>];
    const value = message[key];
    if (value !== undefined) return value;
  }
}

/** The parent: connects and does its half. */
async function measure(run: Run, directory: string): Promise<Drained> {
  const endpoint: Endpoint =
    run.kind === 'unix'
      ? { kind: 'unix', path: join(directory, `${run.way}-${run.direction}.sock`) }
      : { kind: 'tcp', host: '127.0.0.1', port: 0 };
  const child = fork(import.meta.filename, ['--serve', JSON.stringify({ run, endpoint })]);
  try {
    const bound = await receive<Endpoint>(child, 'endpoint');
    if (run.way === 'raw') return await drainRaw(bound);
    return run.direction === 'read'
      ? await new Promise((resolve, reject) => {
          connect(run, bound, drainChannel(resolve)).catch(reject);
        })
      : await pourInto(child, run, bound);
  } finally {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    if (endpoint.kind === 'unix') rmSync(endpoint.path, { force: true });
  }
}

async function connect(run: Run, endpoint: Endpoint, handlers: ChannelHandlers): Promise<Channel> {
  const net = makeNet({ log: silent, frames: run.way === 'raw' ? 'direct' : run.way });
  return net.connect(endpoint, { timeoutMs: 5000 }, handlers);
}

async function pourInto(child: ChildProcess, run: Run, endpoint: Endpoint): Promise<Drained> {
  const drained = receive<Drained>(child, 'drained');
  const channel = await connect(
    run,
    endpoint,
    drainChannel(() => undefined),
  );
  pourChannel(channel, run.seconds);
  return drained;
}

/** The bare socket at its best: one buffer for all reads, nothing done with the bytes. */
async function drainRaw(endpoint: Endpoint): Promise<Drained> {
  return new Promise((resolve, reject) => {
    const meter = new Meter(resolve);
    const onread = {
      buffer: Buffer.alloc(payloadBytes),
      callback(bytes: number) {
        meter.count(bytes);
        return true;
      },
    };
    const socket = net.connect({ ...rawTarget(endpoint), onread });
    socket.on('error', reject);
    socket.on('end', () => meter.end());
  });
}

// ------------------------------------------------------------- table

interface Line {
  readonly kind: string;
  readonly way: Way;
  readonly direction: Direction;
  readonly megabytesPerSecond: number;
  /** Of the bare socket of the same kind. */
  readonly ratio: number;
  /** CPU seconds of the receiving process for each 10^9 bytes. */
  readonly receiverCpuPerGigabyte: number;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

async function measureAll(seconds: number, rounds: number): Promise<Line[]> {
  const directory = mkdtempSync(join(tmpdir(), 'weft-bench-'));
  const runs: Run[] = (['tcp', 'unix'] as const).flatMap((kind) => [
    { kind, way: 'raw', direction: 'read', seconds },
    ...ways
      .slice(1)
      .flatMap((way) => directions.map((direction) => ({ kind, way, direction, seconds }))),
  ]);
  const results = new Map<Run, Drained[]>(runs.map((run) => [run, []]));
  try {
    // Round by round, so that a slow minute of the machine falls on all of them.
    for (let round = 0; round < rounds; round++) {
      for (const run of runs) results.get(run)?.push(await measure(run, directory));
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  const rates = new Map<string, number>();
  return runs.map(({ kind, way, direction }, i) => {
    const drained = results.get(runs[i] as Run) ?? [];
    const rate = median(drained.map((d) => d.bytes / d.seconds / 1e6));
    if (way === 'raw') rates.set(kind, rate);
    return {
      kind,
      way,
      direction,
      megabytesPerSecond: Math.round(rate),
      ratio: Number((rate / (rates.get(kind) ?? NaN)).toFixed(2)),
      receiverCpuPerGigabyte: Number(
        median(drained.map((d) => d.cpuSeconds / (d.bytes / 1e9))).toFixed(2),
      ),
    };
  });
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    serve: { type: 'string' },
  },
});
if (values.serve !== undefined) {
  await serve(JSON.parse(values.serve) as Serve);
} else {
  const lines = await measureAll(Number(values.seconds), Number(values.rounds));
  if (values.json) console.log(JSON.stringify({ payloadBytes, lines }, undefined, 2));
  else console.table(lines);
  process.exit(0);
}
