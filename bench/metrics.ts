/**
 * What counting costs: the same requests to a service that counts them and to one that does not, in
 * turn, in one process and one run; and what a scrape of all that it has counted costs. The cost is
 * processor time of that process, which other work on the machine hardly changes. Handlers do
 * nothing, so a real daemon pays a smaller part.
 *
 *     node --import=tsx bench/metrics.ts [--json] [--rounds=15] [--seconds=0.4]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { limits } from '../shared/limits.ts';
import type { Expose } from '../shared/metrics/readings.ts';
import { RequestMeter } from '../shared/metrics/request-meter.ts';
import type { Link } from '../shared/rpc/link.ts';
import { Bulk, Service } from '../shared/rpc/service.ts';
import { makeNodeRuntime } from '../shared/runtime/node.ts';
import { lazyExposition } from '../shared/runtime/node/lazy-exposition.ts';
import type { Endpoint } from '../shared/runtime/runtime.ts';
import type { Handle } from '../shared/units.ts';
import { dataOps } from '../shared/wire/iod-ops.ts';
import { answerAt, linkTo } from './bare-link.ts';

const { read, sync } = dataOps;
const handle = 7 as Handle;
const runtime = makeNodeRuntime({ log: 'silent' });
const anyPort: Endpoint = { kind: 'tcp', host: '127.0.0.1', port: 0 };
const scrapes = 20;

/** Processor time of this process, microseconds. */
function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Two services in one process; it tells where they are, and at each message its processor time. */
async function serve(): Promise<void> {
  const meter = new RequestMeter(runtime.clock);
  const endpoints = [await listen(new Service({ meter })), await listen(new Service())];
  process.on('message', (wish) => {
    if (wish === 'cpu') process.send?.(cpuUs());
    else void scrapeUs(meter).then((us) => process.send?.(us));
  });
  process.send?.(endpoints);
}

function listen(service: Service): Promise<Endpoint> {
  const content = Buffer.alloc(limits.payloadBytesMax, 7);
  service.serve(
    { read, sync },
    {
      read: ({ length }) => new Bulk({ length }, [content.subarray(0, length)]),
      sync: () => ({ verifier: 1 }),
    },
  );
  return answerAt(anyPort, runtime, service);
}

/** Processor time of a scrape, microseconds, once the library is loaded. */
async function scrapeUs(meter: RequestMeter): Promise<number> {
  const expose = lazyExposition();
  const readings = { weftfs_request_duration_seconds: meter.durations() };
  const scrape = () => expose(readings as Parameters<Expose>[0]);
  await scrape();
  const before = cpuUs();
  for (let i = 0; i < scrapes; i++) await scrape();
  return (cpuUs() - before) / scrapes;
}

interface Case {
  readonly name: string;
  readonly depth: number;
  /** Of the reads; 0: calls without bytes. */
  readonly length: number;
}

const cases: readonly Case[] = [
  { name: 'calls, depth 1', depth: 1, length: 0 },
  { name: 'calls, depth 128', depth: 128, length: 0 },
  { name: 'reads of 4 KiB, depth 16', depth: 16, length: 4096 },
  { name: 'reads of 256 KiB, depth 4', depth: 4, length: limits.transferBytes },
];

async function ask(child: ChildProcess, wish: 'cpu' | 'scrape'): Promise<number> {
  child.send(wish);
  const [answer] = (await once(child, 'message')) as [number];
  return answer;
}

/** @returns processor time of the child for one call, microseconds */
async function measure(child: ChildProcess, link: Link, one: Case, ms: number): Promise<number> {
  const { depth, length } = one;
  const before = await ask(child, 'cpu');
  const begun = performance.now();
  let count = 0;
  const lane = async (into: readonly Uint8Array[]): Promise<void> => {
    while (performance.now() - begun < ms) {
      const deadline = runtime.clock.now() + limits.callDeadlineDefaultMs;
      if (length === 0) await link.call(sync, { handle }, { deadline });
      else await link.call(read, { handle, offset: 0, length }, { deadline, into });
      count++;
    }
  };
  await Promise.all(Array.from({ length: depth }, () => lane([Buffer.alloc(length)])));
  return ((await ask(child, 'cpu')) - before) / count;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** With and without, in turn; who begins changes with each round. */
async function compare(child: ChildProcess, links: readonly Link[], one: Case) {
  const times: number[][] = links.map(() => []);
  for (let round = -1; round < Number(values.rounds); round++) {
    for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const [link] = links.slice(at, at + 1);
      if (link === undefined) continue;
      const us = await measure(child, link, one, Number(values.seconds) * 1000);
      // The first round only warms up.
      if (round >= 0) times[at]?.push(us);
    }
  }
  const [withUs = NaN, withoutUs = NaN] = times.map(median);
  return { name: one.name, withUs, withoutUs, costPercent: (withUs / withoutUs - 1) * 100 };
}

async function run(): Promise<void> {
  const child = fork(import.meta.filename, ['--serve']);
  try {
    const [endpoints] = (await once(child, 'message')) as [readonly Endpoint[]];
    const links = endpoints.map((endpoint) => linkTo(endpoint, runtime));
    const rows = [];
    for (const one of cases) rows.push(await compare(child, links, one));
    const perScrapeUs = await ask(child, 'scrape');
    for (const link of links) link.close();
    if (values.json) console.log(JSON.stringify({ schema: 1, rows, perScrapeUs }));
    else {
      for (const { name, withUs, withoutUs, costPercent } of rows) {
        const figures = `${withUs.toFixed(2)} µs, without ${withoutUs.toFixed(2)} µs`;
        console.log(`${name.padEnd(26)} ${figures}: ${costPercent.toFixed(1)} %`);
      }
      console.log(`a scrape: ${Math.round(perScrapeUs)} µs`);
    }
  } finally {
    child.kill('SIGKILL');
  }
}

const { values } = parseArgs({
  options: {
    serve: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '15' },
    seconds: { type: 'string', default: '0.4' },
  },
});

if (values.serve) await serve();
else await run();
