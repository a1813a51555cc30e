/**
 * What the flight recorder costs: small calls and transfers through one link between two
 * processes, with it and without it in turn, in one run (SCENARIOS 271). The cost is that of
 * processor time, which other work on the machine does not change; handlers do nothing, so a real
 * cluster pays a smaller part.
 *
 *     node --import=tsx bench/recorder.ts [--json] [--rounds=100] [--seconds=0.05]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { limits } from '../shared/limits.ts';
import type { Link } from '../shared/rpc/link.ts';
import { Bulk, Service } from '../shared/rpc/service.ts';
import { makeNodeRuntime } from '../shared/runtime/node.ts';
import { keepTraceFile } from '../shared/runtime/node/trace-file.ts';
import type { Endpoint } from '../shared/runtime/runtime.ts';
import { recordKinds } from '../shared/trace/record.ts';
import { About, Recorder } from '../shared/trace/recorder.ts';
import type { Handle } from '../shared/units.ts';
import { dataOps } from '../shared/wire/iod-ops.ts';
import { answerAt, linkTo } from './bare-link.ts';

const { read, write, sync } = dataOps;
const ops = { read, write, sync };
const handle = 7 as Handle;

/** Can be told to record nothing, so that all else is the same with it and without it. */
class SwitchedRecorder extends Recorder {
  isOn = true;

  override record(...given: Parameters<Recorder['record']>): void {
    if (this.isOn) super.record(...given);
  }
}

function switchedRuntime(directory: string) {
  const { net, log, ...rest } = makeNodeRuntime({ log: 'silent' });
  const anchor = { atMs: 0, hostMs: 0, wallMs: 0 };
  const info = { role: 'iod', name: 'bench', pid: process.pid, boot: net.bootId, anchor } as const;
  const recorder = new SwitchedRecorder(limits.traceRecordsOfServer, info);
  keepTraceFile({ recorder, log, directory, filesKept: 4, isRemovedAtEnd: false });
  return { ...rest, net, log, recorder };
}

interface Order {
  readonly endpoint: Endpoint;
  readonly directory: string;
}

async function serve({ endpoint, directory }: Order): Promise<void> {
  const runtime = switchedRuntime(directory);
  const content = Buffer.alloc(limits.payloadBytesMax, 7);
  const service = new Service().serve(ops, {
    read: ({ length }) => new Bulk({ length }, [content.subarray(0, length)]),
    write: () => ({ verifier: 1 }),
    sync: () => ({ verifier: 1 }),
  });
  process.send?.(await answerAt(endpoint, runtime, service));
  process.on('message', (isOn) => {
    runtime.recorder.isOn = isOn === true;
    process.send?.(process.cpuUsage());
  });
}

function microseconds({ user, system }: NodeJS.CpuUsage): number {
  return user + system;
}

interface Case {
  readonly name: string;
  readonly depth: number;
  /** Of the reads; 0: calls without bytes. */
  readonly length: number;
}

interface Figures {
  readonly perSecond: number;
  /** Processor time of a call at both ends, microseconds. */
  readonly cpu: number;
}

/** One end to measure from, with its peer in another process. */
class Side {
  readonly #child: ChildProcess;
  readonly #runtime: ReturnType<typeof switchedRuntime>;
  readonly #link: Link;

  constructor(
    child: ChildProcess,
    runtime: ReturnType<typeof switchedRuntime>,
    endpoint: Endpoint,
  ) {
    this.#child = child;
    this.#runtime = runtime;
    this.#link = linkTo(endpoint, runtime);
  }

  static async start(order: Order): Promise<Side> {
    const child = fork(import.meta.filename, ['--serve', JSON.stringify(order)]);
    const [bound] = (await once(child, 'message')) as [Endpoint];
    return new Side(child, switchedRuntime(order.directory), bound);
  }

  /** With the recorder on or off at both ends. */
  async measure(isOn: boolean, { depth, length }: Case, ms: number): Promise<Figures> {
    const buffers = Array.from({ length: depth }, () => [Buffer.alloc(length)]);
    this.#runtime.recorder.isOn = isOn;
    const cpuBefore = await this.#cpu(isOn);
    const begun = performance.now();
    let count = 0;
    const lane = async (slot: number): Promise<void> => {
      const into = buffers[slot];
      while (performance.now() - begun < ms) {
        const deadline = this.#runtime.clock.now() + limits.callDeadlineDefaultMs;
        if (length === 0) await this.#link.call(sync, { handle }, { deadline });
        else await this.#link.call(read, { handle, offset: 0, length }, { deadline, into });
        count++;
      }
    };
    await Promise.all(buffers.map((_, slot) => lane(slot)));
    const seconds = (performance.now() - begun) / 1000;
    return { perSecond: count / seconds, cpu: ((await this.#cpu(isOn)) - cpuBefore) / count };
  }

  /** Of both processes, microseconds. */
  async #cpu(isOn: boolean): Promise<number> {
    this.#child.send(isOn);
    const [there] = (await once(this.#child, 'message')) as [NodeJS.CpuUsage];
    return microseconds(there) + microseconds(process.cpuUsage());
  }

  end(): void {
    this.#link.close();
    this.#child.kill('SIGKILL');
  }
}

const cases: readonly Case[] = [
  { name: 'calls, depth 1', depth: 1, length: 0 },
  { name: 'calls, depth 16', depth: 16, length: 0 },
  { name: 'calls, depth 128', depth: 128, length: 0 },
  { name: 'reads of 4 KiB, depth 16', depth: 16, length: 4096 },
  { name: 'reads of 256 KiB, depth 4', depth: 4, length: limits.transferBytes },
];

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** Nanoseconds of one record alone. */
function bareRecord(): number {
  const { recorder } = makeNodeRuntime({ log: 'silent' });
  const about = new About();
  const run = (times: number): void => {
    for (let i = 0; i < times; i++) {
      about.tag = i;
      recorder.record(recordKinds.requestSent, i + 0.5, 1, about);
    }
  };
  run(1_000_000);
  const before = process.cpuUsage();
  run(3_000_000);
  return microseconds(process.cpuUsage(before)) / 3000;
}

/** With the recorder and without it, in turn. */
async function compare(one: Case, side: Side, rounds: number, ms: number) {
  const all: { on: Figures[]; off: Figures[] } = { on: [], off: [] };
  for (let round = -1; round < rounds; round++) {
    for (const isOn of round % 2 === 0 ? [true, false] : [false, true]) {
      const figures = await side.measure(isOn, one, ms);
      if (round >= 0) all[isOn ? 'on' : 'off'].push(figures);
    }
  }
  const ratios = all.on.map(({ cpu }, i) => cpu / (all.off[i]?.cpu ?? NaN));
  const costPercent = (median(ratios) - 1) * 100;
  return { name: one.name, on: medians(all.on), off: medians(all.off), costPercent };
}

function medians(all: readonly Figures[]): Figures {
  return { perSecond: median(all.map((a) => a.perSecond)), cpu: median(all.map((a) => a.cpu)) };
}

async function measure(rounds: number, ms: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'weft-bench-'));
  const endpoint = { kind: 'unix', path: join(directory, 'socket') } as const;
  const side = await Side.start({ endpoint, directory: join(directory, 'trace') });
  try {
    const rows = [];
    for (const one of cases) rows.push(await compare(one, side, rounds, ms));
    const recordNs = bareRecord();
    if (values.json) console.log(JSON.stringify({ schema: 1, recordNs, rows }));
    else {
      console.log(`one record: ${recordNs.toFixed(0)} ns of processor time`);
      for (const { name, on, off, costPercent } of rows) {
        const [a, b] = [on, off].map(({ perSecond, cpu }) => {
          const rate = Math.round(perSecond).toLocaleString('en').padStart(8);
          return `${rate}/s ${cpu.toFixed(2).padStart(7)} µs`;
        });
        console.log(`${name.padEnd(26)} on ${a}   off ${b}   cost ${costPercent.toFixed(1)} %`);
      }
    }
  } finally {
    side.end();
    rmSync(directory, { recursive: true, force: true });
  }
}

const { values } = parseArgs({
  options: {
    serve: { type: 'string' },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '0.05' },
  },
});

if (values.serve !== undefined) await serve(JSON.parse(values.serve) as Order);
else await measure(Number(values.rounds), Number(values.seconds) * 1000);
