/** The shape of every operation. From one table of them come `fs.promises` and the callbacks. */
import type { Volume } from './volume.ts';

/** Checks its arguments at once, and throws for what Node throws for; all else is the promise's. */
export type Operation = (volume: Volume, ...args: readonly unknown[]) => Promise<unknown>;
export type Operations = Readonly<Record<string, Operation>>;
