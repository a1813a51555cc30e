/**
 * What a writer does, step by step, in lanes that run at the same time. All of it follows from the
 * number of the step, so that the number of steps that were acknowledged tells what must be there.
 * Pure.
 */

export const laneNames = ['blocks', 'appends', 'names', 'orphans'] as const;
export type Lane = (typeof laneNames)[number];

export const blockBytes = 4096;
/** No multiple of a stripe, so that a write begins and ends anywhere in one, and needs several. */
export const blocksPerWrite = 24;
export const writeBytes = blockBytes * blocksPerWrite;
export const stripeBytes = 64 * 1024;
export const slots = 8;
export const recordBytes = 512;

export const appendsPath = '/appends';
export const blocksPath = (writer: number): string => `/blocks-${writer}`;
export const lanePath = (lane: 'names' | 'orphans', writer: number): string => `/${lane}-${writer}`;

/** A prime apart: neighbours are not written one behind the other. */
export function slotOf(step: number): number {
  return (step * 5) % slots;
}

export type Act =
  | { readonly kind: 'create' | 'mkdir' | 'unlink' | 'rmdir'; readonly path: string }
  | { readonly kind: 'rename' | 'link'; readonly path: string; readonly to: string }
  /** With a file that is open: no name changes. */
  | { readonly kind: 'use' };

/** Paths below the directory of the lane. */
export function actOf(lane: 'names' | 'orphans', step: number): Act {
  const acts = lane === 'names' ? nameActs : orphanActs;
  const make = acts[step % acts.length];
  if (make === undefined) throw new Error('there is one for each');
  return make(Math.floor(step / acts.length));
}

/** Every round leaves one name behind. */
const nameActs: readonly ((round: number) => Act)[] = [
  (round) => ({ kind: 'create', path: `a${round}` }),
  (round) => ({ kind: 'mkdir', path: `d${round}` }),
  (round) => ({ kind: 'rename', path: `a${round}`, to: `d${round}/b` }),
  (round) => ({ kind: 'link', path: `d${round}/b`, to: `c${round}` }),
  (round) => ({ kind: 'unlink', path: `d${round}/b` }),
  (round) => ({ kind: 'rmdir', path: `d${round}` }),
];

/** A file that is written and read on after its name has gone. */
const orphanActs: readonly ((round: number) => Act)[] = [
  (round) => ({ kind: 'create', path: `o${round}` }),
  () => ({ kind: 'use' }),
  (round) => ({ kind: 'unlink', path: `o${round}` }),
  () => ({ kind: 'use' }),
  () => ({ kind: 'use' }),
  () => ({ kind: 'use' }),
];

/**
 * The names that are there after so many steps, each with the step that made what it names.
 */
export function namesAfter(lane: 'names' | 'orphans', steps: number): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  for (let step = 0; step < steps; step++) apply(names, actOf(lane, step), step);
  return names;
}

function apply(names: Map<string, number>, act: Act, step: number): void {
  switch (act.kind) {
    case 'create':
    case 'mkdir':
      names.set(act.path, step);
      break;
    case 'unlink':
    case 'rmdir':
      names.delete(act.path);
      break;
    case 'rename':
    case 'link':
      names.set(act.to, names.get(act.path) ?? -1);
      if (act.kind === 'rename') names.delete(act.path);
      break;
    case 'use':
  }
}
