/**
 * `npm start`: a mgr and the iods of `./iodtab` as processes of their own, a file through them and
 * back, a picture of where it is, and what to type next. Stays up until Ctrl-C, which stops all.
 * `--ephemeral`: in a directory that is removed again.
 */
import { createHash, randomFillSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stayUp } from '../client/cli/commands/up.ts';
import { describeFailure, failureText } from '../client/cli/failure.ts';
import { humanBytes, humanRate } from '../shared/figures.ts';
import { installationDirectory } from '../client/cli/installation.ts';
import { Interrupt } from '../client/cli/local-cluster/interrupt.ts';
import { startCluster, stopDaemons } from '../client/cli/local-cluster/local-cluster.ts';
import { Output } from '../client/cli/output.ts';
import { drawStripes } from '../client/cli/stripe-picture.ts';
import { connect, type FileSystem } from '../client/index.ts';

const fileBytes = 100 * 1024 * 1024;
const pieceBytes = 4 * 1024 * 1024;
const path = '/hello/random-100M';
const output = new Output({ json: false });

try {
  process.exitCode = (await start()) === 'failed' ? 1 : 0;
} catch (error: unknown) {
  process.stderr.write(`${failureText(describeFailure(error))}\n`);
  process.exitCode = 1;
}

async function start(): Promise<void | 'failed'> {
  const { values } = parseArgs({
    options: {
      ephemeral: { type: 'boolean', default: false },
      data: { type: 'string', default: 'weft-data' },
      iodtab: { type: 'string', default: join(installationDirectory, 'iodtab') },
    },
  });
  const interrupt = new Interrupt();
  const dataDir = values.ephemeral
    ? await mkdtemp(join(tmpdir(), 'weft-'))
    : resolve(installationDirectory, values.data);
  try {
    const fate = values.ephemeral ? 'removed at the end' : 'kept';
    output.lines([`data in ${dataDir}, ${fate}`]);
    return await run(dataDir, resolve(values.iodtab), interrupt);
  } finally {
    if (values.ephemeral) await rm(dataDir, { recursive: true, force: true });
    interrupt.end();
  }
}

async function run(
  dataDir: string,
  iodtab: string,
  interrupt: Interrupt,
): Promise<void | 'failed'> {
  const { signal } = interrupt;
  const begun = performance.now();
  const wish = {
    dataDir,
    iodtab,
    iods: undefined,
    port: undefined,
    origins: [],
    smallFileBytes: undefined,
    directReads: undefined,
  };
  const { state, started } = await startCluster(wish, signal);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  output.lines([`${state.daemons.length - 1} iods and their mgr are up after ${seconds} s`, '']);
  try {
    await show(state.url, signal);
    tellNextSteps(state.url, started.length === 0);
  } catch (error: unknown) {
    if (!signal.aborted) {
      await stopDaemons(
        started.map(({ record }) => record),
        2000,
      );
      throw error;
    }
  }
  const outcome = await stayUp(state, started, { output, interrupt });
  if (started.length > 0) output.lines(['stopped']);
  return outcome;
}

function tellNextSteps(url: string, wasUp: boolean): void {
  output.lines([
    '',
    `the mgr is ${url}`,
    'now type in another terminal, in this directory:',
    `  export WEFT_URL='${url}'`,
    '  npx weft status',
    '  npx weft ls -l /hello',
    `  npx weft where --draw ${path}`,
    '  npx weft cp -r ./docs weft:/docs',
    '',
    wasUp ? 'it was up before, and stays: weft down stops it' : 'Ctrl-C stops everything',
  ]);
}

/** A file there and back. */
async function show(url: string, signal: AbortSignal): Promise<void> {
  const fs = await connect(url, { name: 'npm start', signal });
  try {
    await fs.mkdir('/hello', { recursive: true });
    const content = randomFillSync(Buffer.allocUnsafe(fileBytes));
    const written = await timed(() => write(fs, content, signal));
    const back = Buffer.allocUnsafe(fileBytes);
    const read = await timed(() => readBack(fs, back, signal));
    const [sent, received] = [content, back].map((bytes) =>
      createHash('sha256').update(bytes).digest('hex'),
    );
    if (sent !== received) throw new Error(`${path} came back with another hash`);
    const { layout, size } = await fs.stat(path);
    if (layout === undefined) throw new Error(`${path} has no layout`);
    const members = await fs.members();
    const nameOf = (index: number): string => members[index]?.name ?? `iod ${index}`;
    const colored = output.paint('bold', 'x') !== 'x';
    output.lines([
      `wrote ${path}: ${humanBytes(fileBytes)} at ${humanRate(fileBytes, written)}, durable`,
      `read it back at ${humanRate(fileBytes, read)}, with the same hash: ${sent?.slice(0, 16)}…`,
      '',
      `its stripes of ${humanBytes(layout.ssize)}, by the iod that holds them:`,
      ...drawStripes(layout, size, { width: output.width, colored, nameOf }),
    ]);
  } finally {
    await fs.close();
  }
}

async function write(fs: FileSystem, content: Buffer, signal: AbortSignal): Promise<void> {
  const file = await fs.open(path, 'w');
  await eachPiece(content, async (piece, at) => {
    await file.write(piece, at, { signal });
  });
  await file.close({ sync: true });
}

async function readBack(fs: FileSystem, into: Buffer, signal: AbortSignal): Promise<void> {
  const file = await fs.open(path, 'r');
  await eachPiece(into, async (piece, at) => {
    const count = await file.read(piece, at, { signal });
    if (count !== piece.length) throw new Error(`${path} ends at byte ${at + count}`);
  });
  await file.close();
}

/** Two at a time keep all iods busy. */
async function eachPiece(
  buffer: Buffer,
  work: (piece: Buffer, at: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const carry = async (): Promise<void> => {
    while (next < buffer.length) {
      const at = next;
      next += pieceBytes;
      await work(buffer.subarray(at, at + pieceBytes), at);
    }
  };
  await Promise.all([carry(), carry()]);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}
