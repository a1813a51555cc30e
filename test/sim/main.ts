/** `npm run sim -- --seeds N --steps M`: runs seeds, and says how to see a failure again. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { TraceScript } from '../../shared/trace/script.ts';
import { runCampaign } from './campaign.ts';
import { type FaultKind, faultKinds } from './faults.ts';
import { failuresFile, failureTable, pageWith } from './failure-table.ts';
import { smallFileBytesOf } from './failed-seeds.ts';
import { replay, runOnce } from './run.ts';
import { SimulationFailure } from './runtime/failure.ts';
import { type SeedRange, seedRange } from './seed-range.ts';

/** Of each process: enough for the last seconds before a failure. */
const recordsKept = 8192;

interface Options {
  readonly seed: number;
  readonly seeds?: SeedRange;
  readonly steps: number;
  readonly iods: number;
  readonly clients: number;
  readonly smallFileBytes?: number;
  readonly faults: readonly FaultKind[];
  readonly keepGoing: boolean;
  readonly jobs?: number;
  readonly trace: boolean;
  readonly failureTable: boolean;
  readonly script?: string;
}

const options = new Command('sim')
  .description('A whole cluster in virtual time, from a seed.')
  .option('--seed <n>', 'the one seed to run', whole, 1)
  .option('--seeds <n|a..b>', 'the first n seeds, or all from a to b', seedsOf)
  .option('--steps <n>', 'calls of all clients together', whole, 300)
  .option('--iods <n>', 'iods of the cluster', whole, 3)
  .option('--clients <n>', 'clients at work', whole, 3)
  .option('--small-file-bytes <n>', 'what a file may have at the mgr (default: by the seed)', whole)
  .addOption(
    new Option('--faults <kinds>', `any of ${faultKinds.join(',')}, or none`)
      .argParser(faultsOf)
      .default(faultKinds, 'all'),
  )
  .option('--keep-going', 'go on with the next seed after a failure', false)
  .option('--jobs <n>', 'processes for the seeds; those that fail are kept in a file', whole)
  .option('--trace', 'print every event', false)
  .option('--script <file>', 'do again what a trace tells of: weft trace export --format script')
  .option('--failure-table', 'write the table of kill points into docs/FAILURES.md', false)
  .parse()
  .opts<Options>();

if (options.failureTable) {
  writeFileSync(failuresFile, pageWith(await failureTable()));
} else {
  process.exitCode = (await runSeeds()) === 0 ? 0 : 1;
}

async function runSeeds(): Promise<number> {
  const { seeds, jobs } = options;
  if (seeds !== undefined && jobs !== undefined) {
    const { steps, iods, clients, faults } = options;
    return runCampaign({ seeds, jobs, steps, iods, clients, faults });
  }
  const [first, last] = seeds ?? [options.seed, options.seed];
  let failures = 0;
  for (let seed = first; seed <= last && (failures === 0 || options.keepGoing); seed++) {
    if (!(await passes(seed))) failures++;
  }
  return failures;
}

async function passes(seed: number): Promise<boolean> {
  const { steps, iods, clients, faults, trace: keepTrace, script } = options;
  const { smallFileBytes = smallFileBytesOf(seed) } = options;
  const verdict =
    script === undefined
      ? await runOnce({
          seed,
          steps,
          iods,
          clients,
          faults,
          keepTrace,
          recordsKept,
          smallFileBytes,
        })
      : await replay(JSON.parse(readFileSync(script, 'utf8')) as TraceScript, { seed });
  const { failure, trace, virtualMs, faults: struck } = verdict;
  if (keepTrace) console.log(trace.lines().join('\n'));
  const figures = `${(virtualMs / 1000).toFixed(1)} s virtual, ${struck} faults, ${trace.count} events`;
  console.log(`seed ${seed}: ${failure ? 'FAILED' : 'passed'}, ${figures}, trace ${trace.hash}`);
  if (!failure) return true;
  const kinds = faults.join(',') || 'none';
  const how =
    script === undefined
      ? `--steps ${steps} --iods ${iods} --clients ${clients} --faults ${kinds}`
      : `--script ${script}`;
  console.log(`again: npm run sim -- --seed ${seed} ${how}`);
  console.log(`all that was recorded: weft trace merge ${keepRings(verdict.images)}`);
  console.log(failure instanceof SimulationFailure ? failure.message : failure.stack);
  if (!(failure instanceof SimulationFailure)) console.log(trace.tail().join('\n'));
  return false;
}

/** @returns the files, for a shell */
function keepRings(images: readonly Uint8Array[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'weft-sim-'));
  for (const [number, image] of images.entries()) {
    writeFileSync(join(directory, `${String(number).padStart(3, '0')}.ring`), image);
  }
  return `${directory}/*.ring`;
}

function whole(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('it is no whole number.');
}

function seedsOf(text: string): SeedRange {
  const range = seedRange(text);
  if (range === undefined) throw new InvalidArgumentError('write N, or A..B with A not above B.');
  return range;
}

function faultsOf(text: string): readonly FaultKind[] {
  if (text === 'none') return [];
  return text.split(',').map((word) => {
    const kind = faultKinds.find((one) => one === word);
    if (kind === undefined) throw new InvalidArgumentError(`there is no fault ${word}.`);
    return kind;
  });
}
