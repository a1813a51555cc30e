/**
 * A client in a process of its own that works in all lanes at once, and tells each step when it has
 * been acknowledged: `writer-program.ts URL NUMBER [LIMITS]`. Ends in order when it is told to, or
 * when nobody is left to tell. A program: nothing imports it.
 */
import { connect, type File, isFsError } from '../../client/index.ts';
import { limits } from '../../shared/limits.ts';
import { makeBlock, readBlock } from './blocks.ts';
import {
  actOf,
  appendsPath,
  blockBytes,
  blocksPath,
  type Lane,
  laneNames,
  lanePath,
  recordBytes,
  slotOf,
  stripeBytes,
  writeBytes,
} from './lanes.ts';
import type { Report } from './writers.ts';

const [url = '', number = '', changed = '{}'] = process.argv.slice(2);
const writer = Number(number);
Object.assign(limits, JSON.parse(changed));

const fs = await connect(url, {
  callDeadlineMs: 120_000,
  deadlineMs: 120_000,
  name: `writer ${writer}`,
});
const stop = new AbortController();
process.once('message', () => stop.abort());
process.once('disconnect', () => process.exit(1));

/** Returns when it is on its way: what is told here is told, also if this process is killed. */
function tell(report: Report): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(report, undefined, undefined, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** @returns what the ledger notes of the step, or `nothing` */
type Step = (step: number) => Promise<number>;
const nothing = -1;

function writeAt(step: number): Buffer {
  const from = slotOf(step) * writeBytes;
  const blocks = Array.from({ length: writeBytes / blockBytes }, (_, i) =>
    makeBlock(blockBytes, { writer, place: from + i * blockBytes, generation: step + 1 }),
  );
  return Buffer.concat(blocks);
}

async function expectBack(file: File, position: number, wanted: Buffer): Promise<void> {
  const back = Buffer.alloc(wanted.length);
  await file.read(back, position);
  if (!back.equals(wanted)) {
    const found = JSON.stringify(readBlock(back.subarray(0, blockBytes)));
    throw new Error(`${file.path}: what was written at ${position} reads back as ${found}`);
  }
}

async function blocks(): Promise<Step> {
  const file = await fs.open(blocksPath(writer), 'w+', { layout: { ssize: stripeBytes } });
  return async (step) => {
    const from = slotOf(step) * writeBytes;
    const content = writeAt(step);
    await file.write(content, from);
    await expectBack(file, from, content);
    if (step % 8 === 7) await file.sync();
    return nothing;
  };
}

async function appends(): Promise<Step> {
  const file = await fs.open(appendsPath, 'a');
  return async (step) => {
    const record = makeBlock(recordBytes, { writer, place: step, generation: 1 });
    return (await file.write(record)).position;
  };
}

async function names(): Promise<Step> {
  const directory = lanePath('names', writer);
  await fs.mkdir(directory);
  return async (step) => {
    const act = actOf('names', step);
    if (act.kind === 'use') return nothing;
    const path = `${directory}/${act.path}`;
    if (act.kind === 'create') {
      const file = await fs.open(path, 'wx');
      await file.close();
      return file.handle;
    }
    if (act.kind === 'rename' || act.kind === 'link') {
      await fs[act.kind](path, `${directory}/${act.to}`);
    } else {
      await fs[act.kind](path);
    }
    return nothing;
  };
}

async function orphans(): Promise<Step> {
  const directory = lanePath('orphans', writer);
  await fs.mkdir(directory);
  let file: File;
  let content: Buffer;
  const round: readonly Step[] = [
    async (step) => {
      file = await fs.open(`${directory}/${pathOf(step)}`, 'wx+', {
        layout: { ssize: stripeBytes },
      });
      return file.handle;
    },
    async (step) => {
      content = writeAt(step);
      await file.write(content, 0);
      return nothing;
    },
    async (step) => {
      await fs.unlink(`${directory}/${pathOf(step)}`);
      return nothing;
    },
    async () => {
      await expectBack(file, 0, content);
      return nothing;
    },
    async () => {
      await file.write(content, writeBytes);
      await expectBack(file, writeBytes, content);
      return nothing;
    },
    async () => {
      await file.close();
      return nothing;
    },
  ];
  return (step) => round[step % round.length]?.(step) ?? Promise.resolve(nothing);
}

function pathOf(step: number): string {
  const act = actOf('orphans', step);
  return act.kind === 'use' ? '' : act.path;
}

const beginnings: Readonly<Record<Lane, () => Promise<Step>>> = { blocks, appends, names, orphans };

async function work(lane: Lane, run: Step): Promise<void> {
  for (let step = 0; !stop.signal.aborted; step++) {
    const note = await run(step);
    await tell({ kind: 'done', lane, step, note });
  }
}

try {
  const lanes = await Promise.all(
    laneNames.map(async (lane) => ({ lane, run: await beginnings[lane]() })),
  );
  await tell({ kind: 'begun' });
  await Promise.all(lanes.map(({ lane, run }) => work(lane, run)));
  await fs.close();
  await tell({ kind: 'ended' });
  process.exit(0);
} catch (error: unknown) {
  const id = isFsError(error) ? error.weftCode : undefined;
  await tell({ kind: 'failed', id: id ?? '', what: String(error) });
  process.exit(1);
}
