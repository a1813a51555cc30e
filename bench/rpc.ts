/**
 * Calls a second and bytes a second through one link between two processes, beside a bare socket
 * that sends one small message back and forth.
 *
 *     node --import=tsx bench/rpc.ts [--json] [--seconds=1]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { limits } from '../shared/limits.ts';
import { Bulk, Service } from '../shared/rpc/service.ts';
import { makeNodeRuntime } from '../shared/runtime/node.ts';
import type { Endpoint } from '../shared/runtime/runtime.ts';
import type { Handle } from '../shared/units.ts';
import { dataOps } from '../shared/wire/iod-ops.ts';
import { nameOps } from '../shared/wire/mgr-ops.ts';
import { answerAt, linkTo } from './bare-link.ts';

const { read, write } = dataOps;
const ops = { read, write, getAttr: nameOps.getAttr };
const handle = 7 as Handle;
const now = { seconds: 1_700_000_000, nanoseconds: 5 };
const attr = {
  handle,
  kind: 'file' as const,
  mode: 0o644,
  links: 1,
  uid: 0,
  gid: 0,
  device: 0,
  size: 4096,
  accessed: now,
  modified: now,
  changed: now,
  born: now,
  layout: { base: 0, pcount: 4, ssize: 262_144, total: 4 },
  place: 'iods' as const,
  sizeExact: true,
  holes: 0,
  right: false,
};

async function serve(endpoint: Endpoint): Promise<void> {
  if (endpoint.kind === 'tcp' && endpoint.host === 'raw') {
    const server = net.createServer((socket) => {
      socket.setNoDelay(true);
      socket.on('data', (data) => socket.write(data));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    process.send?.({
      ...endpoint,
      host: '127.0.0.1',
      port: (server.address() as net.AddressInfo).port,
    });
    return;
  }
  const runtime = makeNodeRuntime({ log: 'silent' });
  const content = Buffer.alloc(limits.payloadBytesMax, 7);
  const service = new Service().serve(ops, {
    read: ({ length }) => new Bulk({ length }, [content.subarray(0, length)]),
    write: () => ({ verifier: 1 }),
    getAttr: () => ({ attr }),
  });
  process.send?.(await answerAt(endpoint, runtime, service));
}

interface Figure {
  readonly name: string;
  readonly perSecond: number;
  readonly mebibytesPerSecond?: number;
}

async function repeat(
  depth: number,
  seconds: number,
  call: (slot: number) => Promise<unknown>,
): Promise<number> {
  const begun = performance.now();
  const end = begun + seconds * 1000;
  let count = 0;
  await Promise.all(
    Array.from({ length: depth }, async (_, slot) => {
      while (performance.now() < end) {
        await call(slot);
        count++;
      }
    }),
  );
  return (count * 1000) / (performance.now() - begun);
}

async function measureLink(endpoint: Endpoint, seconds: number): Promise<Figure[]> {
  const runtime = makeNodeRuntime({ log: 'silent' });
  const link = linkTo(endpoint, runtime);
  const figures: Figure[] = [];
  const options = () => ({ deadline: runtime.clock.now() + limits.callDeadlineDefaultMs });
  for (const depth of [1, 16, 128]) {
    const stat = () => link.call(ops.getAttr, { handle }, options());
    await repeat(depth, seconds / 4, stat);
    const perSecond = await repeat(depth, seconds, stat);
    figures.push({ name: `${endpoint.kind} calls, depth ${depth}`, perSecond });
  }
  for (const length of [4096, limits.transferBytes]) {
    for (const depth of length === 4096 ? [1] : [1, 4]) {
      const buffers = Array.from({ length: depth }, () => [Buffer.alloc(length, 3)]);
      const reads = (slot: number) =>
        link.call(ops.read, { handle, offset: 0, length }, { ...options(), into: buffers[slot] });
      const writes = (slot: number) =>
        link.call(ops.write, { handle, offset: 0 }, { ...options(), payload: buffers[slot] });
      for (const [name, run] of Object.entries({ reads, writes })) {
        const perSecond = await repeat(depth, seconds, run);
        figures.push({
          name: `${endpoint.kind} ${name} of ${length / 1024} KiB, depth ${depth}`,
          perSecond,
          mebibytesPerSecond: (perSecond * length) / 2 ** 20,
        });
      }
    }
  }
  link.close();
  return figures;
}

async function measureRaw(endpoint: Endpoint, seconds: number): Promise<Figure[]> {
  if (endpoint.kind !== 'tcp') return [];
  const socket = net.connect({ host: endpoint.host, port: endpoint.port, noDelay: true });
  await once(socket, 'connect');
  const message = Buffer.alloc(64);
  const perSecond = await repeat(1, seconds, () => {
    socket.write(message);
    return new Promise((resolve) => {
      socket.once('data', resolve);
    });
  });
  socket.destroy();
  return [{ name: 'bare tcp socket, back and forth', perSecond }];
}

async function withChild<T>(endpoint: Endpoint, run: (bound: Endpoint) => Promise<T>): Promise<T> {
  const child: ChildProcess = fork(import.meta.filename, ['--serve', JSON.stringify(endpoint)]);
  try {
    const [bound] = (await once(child, 'message')) as [Endpoint];
    return await run(bound);
  } finally {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

const { values } = parseArgs({
  options: {
    serve: { type: 'string' },
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '1' },
  },
});

if (values.serve !== undefined) {
  await serve(JSON.parse(values.serve) as Endpoint);
} else {
  const directory = mkdtempSync(join(tmpdir(), 'weft-bench-'));
  const seconds = Number(values.seconds);
  try {
    const figures = [
      ...(await withChild({ kind: 'tcp', host: 'raw', port: 0 }, (at) => measureRaw(at, seconds))),
      ...(await withChild({ kind: 'tcp', host: '127.0.0.1', port: 0 }, (at) =>
        measureLink(at, seconds),
      )),
      ...(await withChild({ kind: 'unix', path: join(directory, 's') }, (at) =>
        measureLink(at, seconds),
      )),
    ];
    if (values.json) console.log(JSON.stringify({ schema: 1, figures }));
    else
      for (const { name, perSecond, mebibytesPerSecond } of figures)
        console.log(
          `${name.padEnd(42)} ${Math.round(perSecond).toLocaleString('en').padStart(10)}/s` +
            (mebibytesPerSecond === undefined ? '' : `  ${Math.round(mebibytesPerSecond)} MiB/s`),
        );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
