/** Clients of a benchmark of recovery: those who hold files open, and those who never stop. */
import { setTimeout } from 'node:timers/promises';
import type { ConnectedFileSystem, File } from '../../client/index.ts';
import { limits } from '../../shared/limits.ts';
import { bareOpener } from '../bare-open.ts';
import { builtClient } from '../built.ts';
import { inParallel } from '../data-calls.ts';
import type { Beats, Reply, Request } from './messages.ts';

const openAtOnce = 32;
/** Each has all of its opens on their way. */
const sharersAtOnce = 4;
const block = Buffer.alloc(4096, 0x5a);

/** Kept, or the sessions would end. */
const held: { readonly fs: ConnectedFileSystem; readonly files: File[] }[] = [];
const lanes: Lane[] = [];

process.on('message', (request: Request) => {
  perform(request).then(
    (reply) => process.send?.(reply),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.once('disconnect', () => process.exit(0));

async function perform(request: Request): Promise<Reply> {
  if (request.kind === 'hold') await hold(request);
  if (request.kind === 'open') await openFiles(request);
  if (request.kind === 'share') await shareFiles(request);
  if (request.kind === 'pulse') await startPulse(request);
  return { beats: request.kind === 'beats' ? lanes.map((lane) => lane.take()) : [] };
}

async function hold({ url, sessions }: Extract<Request, { kind: 'hold' }>): Promise<void> {
  const { connect } = await builtClient();
  let next = 0;
  await inParallel(openAtOnce, async () => {
    while (next++ < sessions) held.push({ fs: await connect(url), files: [] });
  });
}

async function openFiles({ filesEach }: Extract<Request, { kind: 'open' }>): Promise<void> {
  const rest = held.entries();
  await inParallel(openAtOnce, async () => {
    for (const [session, { fs, files }] of rest) {
      await fs.mkdir(`/held-${session}`);
      for (let file = 0; file < filesEach; file++) {
        files.push(await fs.open(`/held-${session}/${file}`, 'w+'));
      }
    }
  });
}

async function shareFiles({ files }: Extract<Request, { kind: 'share' }>): Promise<void> {
  const open = await bareOpener();
  const [first] = held;
  if (first === undefined) throw new Error('there is no session');
  for (let file = 0; file < files; file++) await first.fs.writeFile(`/shared-${file}`, '');
  const sharers = held.values();
  await inParallel(sharersAtOnce, async () => {
    for (const { fs } of sharers) {
      const opens = Array.from({ length: files }, (_, file) => open(fs, `/shared-${file}`, 'read'));
      await Promise.all(opens);
    }
  });
}

async function startPulse({
  url,
  iods,
  everyMs,
  directions,
}: Extract<Request, { kind: 'pulse' }>): Promise<void> {
  const { connect } = await builtClient();
  const fs = await connect(url);
  for (let iod = 0; iod < iods; iod++) {
    const layout = { base: iod, pcount: 1 };
    const file = await fs.open(`/pulse-${iod}`, 'w+', { layout });
    await file.write(block, 0);
    // Not one of the small files, which are at the mgr.
    await file.write(block, limits.smallFileBytesMax);
    for (const direction of directions) {
      lanes.push(new Lane(file, iod, direction, everyMs));
    }
  }
  for (const lane of lanes) lane.run();
}

function now(): number {
  return performance.timeOrigin + performance.now();
}

class Lane {
  readonly #file: File;
  readonly iod: number;
  readonly direction: Beats['direction'];
  readonly #everyMs: number;
  #calls = 0;
  #longestMs = 0;
  #longestEnded = 0;
  /** Of the call that is under way. */
  #begun: number | undefined;

  constructor(file: File, iod: number, direction: Beats['direction'], everyMs: number) {
    this.#file = file;
    this.iod = iod;
    this.direction = direction;
    this.#everyMs = everyMs;
  }

  /** Until the process ends; an error ends it: nobody may notice more than a pause. */
  run(): void {
    this.#beat().catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  }

  take(): Beats {
    // A call that is not answered yet counts with what it has waited.
    this.#note(now());
    const { iod, direction } = this;
    const [calls, longestMs, longestEnded] = [this.#calls, this.#longestMs, this.#longestEnded];
    this.#calls = 0;
    this.#longestMs = 0;
    return { iod, direction, calls, longestMs, longestEnded };
  }

  async #beat(): Promise<never> {
    const into = Buffer.from(block);
    for (;;) {
      this.#begun = now();
      if (this.direction === 'read') await this.#file.read(into, 0);
      else await this.#file.write(block, 0);
      this.#calls++;
      this.#note(now());
      this.#begun = undefined;
      if (this.#everyMs > 0) await setTimeout(this.#everyMs);
    }
  }

  #note(ended: number): void {
    const ms = this.#begun === undefined ? 0 : ended - this.#begun;
    if (ms <= this.#longestMs) return;
    this.#longestMs = ms;
    this.#longestEnded = ended;
  }
}
