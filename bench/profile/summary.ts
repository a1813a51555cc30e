/** What a profile of V8 says of where the time went, by kind and by function. Pure. */

/** The part of a `.cpuprofile` that is read here. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Of each sample the id of its node, and the time since the one before it, microseconds. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

/**
 * `system`: native code that no function of JavaScript has called, which is the event loop and its
 * system calls, and the functions of Node that make system calls.
 */
export const kinds = ['ours', 'node', 'sqlite', 'checksum', 'system', 'gc', 'libraries'] as const;
export type Kind = (typeof kinds)[number];

export interface Summary {
  /** Time on the processor, microseconds; without that of waiting for events. */
  readonly busyUs: number;
  readonly byKind: Readonly<Record<Kind, number>>;
  /** Self time by function, `path name`, the longest first. */
  readonly byFunction: readonly (readonly [where: string, us: number])[];
}

/** @returns of several profiles the sum */
export function summarise(profiles: readonly CpuProfile[]): Summary {
  const byKind = Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<Kind, number>;
  const byFunction = new Map<string, number>();
  let busyUs = 0;
  for (const profile of profiles) {
    for (const { node, parent, us } of selfTimes(profile)) {
      const { functionName } = node.callFrame;
      if (functionName === '(idle)' || us === 0) continue;
      const kind = kindOf(node, parent);
      const where = `${placeOf(node, kind)} ${functionName || '(anonymous)'}`;
      byKind[kind] += us;
      byFunction.set(where, (byFunction.get(where) ?? 0) + us);
      busyUs += us;
    }
  }
  return { busyUs, byKind, byFunction: [...byFunction].toSorted(([, a], [, b]) => b - a) };
}

interface SelfTime {
  readonly node: ProfileNode;
  readonly parent: ProfileNode | undefined;
  readonly us: number;
}

function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): SelfTime[] {
  const times = new Map<number, number>();
  for (const [i, id] of samples.entries()) {
    times.set(id, (times.get(id) ?? 0) + Math.max(0, timeDeltas[i] ?? 0));
  }
  const parents = new Map<number, ProfileNode>();
  for (const node of nodes) {
    for (const child of node.children ?? []) parents.set(child, node);
  }
  return nodes.map((node) => {
    return { node, parent: parents.get(node.id), us: times.get(node.id) ?? 0 };
  });
}

function kindOf({ callFrame: { functionName, url } }: ProfileNode, parent?: ProfileNode): Kind {
  if (functionName === '(garbage collector)') return 'gc';
  if (url.startsWith('wasm:')) return 'checksum';
  if (url.startsWith('node:')) return 'node';
  if (url.includes('/node_modules/')) return 'libraries';
  if (url !== '') return 'ours';
  return isOfStore(parent) ? 'sqlite' : 'system';
}

/** What the name store calls that is not JavaScript is SQLite. */
function isOfStore(node: ProfileNode | undefined): boolean {
  return /\/(mgr\/store|better-sqlite3)\//.test(node?.callFrame.url ?? '');
}

function placeOf({ callFrame: { url } }: ProfileNode, kind: Kind): string {
  return kind === 'ours' || kind === 'libraries'
    ? url.replace(/^.*\/(dist|node_modules|bench)\//, '').replace(/\.[jt]s$/, '')
    : url.startsWith('node:')
      ? url
      : kind;
}
