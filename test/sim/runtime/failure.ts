/** How a simulated run fails: what was wrong, when, and how to see it again. */

/** Code under test broke the contract of Runtime in a way that the real one would not notice. */
export class ContractBreach extends Error {
  override readonly name = 'ContractBreach';
}

/** Stops code of a process that is dead; nothing of it reaches the world any more. */
export class ProcessEnded extends Error {
  override readonly name = 'ProcessEnded';

  constructor(process: string) {
    super(`process ${process} has ended`);
  }
}

export interface FailureContext {
  readonly seed: number;
  readonly commit: string | undefined;
  readonly steps: number;
  readonly atMs: number;
  /** `undefined`: the world itself, e.g. a scheduled fault or a checker. */
  readonly process: string | undefined;
  /** Last events of the trace. */
  readonly tail: readonly string[];
}

export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';
  readonly context: FailureContext;

  constructor(cause: unknown, context: FailureContext) {
    super(describe(cause, context), { cause });
    this.context = context;
  }
}

function describe(cause: unknown, context: FailureContext): string {
  const { seed, commit, steps, atMs, process, tail } = context;
  const what = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  const where = process === undefined ? 'the world' : `process ${process}`;
  const at = `at ${atMs.toFixed(3)} ms, step ${steps}, seed ${seed}`;
  return [
    `simulation failed in ${where}: ${what}`,
    commit === undefined ? at : `${at}, commit ${commit}`,
    `again: npm run sim -- --seed ${seed} --steps ${steps}`,
    `last ${tail.length} events:`,
    ...tail,
  ].join('\n');
}
