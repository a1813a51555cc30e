/** The disk of one host: when its operations happen, what fails, what a power loss leaves. */
import assert from 'node:assert/strict';
import { type Errno, FsError, isFsError } from '../../../shared/errno.ts';
import type { HostClock } from './clock.ts';
import { type DirectoryNode, FileNode, NameTree, type Node } from './name-tree.ts';
import type { Incarnation } from './process.ts';
import type { Range, SimRandom } from './random.ts';
import { pageBytes, SparseFile } from './sparse-file.ts';
import type { Timeline } from './timeline.ts';

const changes = [
  'create',
  'write',
  'truncate',
  'sync',
  'rename',
  'remove',
  'makeDirectory',
  'syncDirectory',
  'lock',
] as const;

export type DiskOperation =
  | (typeof changes)[number]
  | 'open'
  | 'close'
  | 'read'
  | 'stat'
  | 'list'
  | 'space';

export interface DiskFault {
  /** All changes when not given. */
  readonly operation?: DiskOperation;
  readonly errno: Errno;
  /** Fails from this one on, counted from 1 since the fault was set; the first when not given. */
  readonly from?: number;
  /** How many fail in a row; 1 when not given. */
  readonly times?: number;
  /** Only on paths that contain this. */
  readonly path?: string;
}

export interface DiskRequest {
  readonly operation: DiskOperation;
  readonly path: string;
  readonly owner: Incarnation;
  /** What happens on the disk. Throws FsError. */
  readonly effect: () => void;
  /** What of it happens all the same when an injected fault strikes. @returns bytes done */
  readonly halfEffect?: () => number | undefined;
  /** Tells the process. */
  readonly done: (error: FsError | undefined) => void;
}

/** A disk's whole content at one moment, for `restore`. */
export interface DiskImage {
  readonly names: NameTree;
}

interface ArmedFault extends DiskFault {
  seen: number;
}

export class HostDisk {
  /** Bytes it can hold. */
  capacityBytes = 2 ** 50;
  /** Files it can hold. */
  filesMax = 1_000_000;
  /** How long an operation takes; a sync takes ten times as long. */
  latencyMs: Range = [0.02, 0.2];
  readonly random: SimRandom;
  readonly locks = new Map<
    DirectoryNode,
    { readonly owner: Incarnation; readonly holder: string }
  >();
  readonly #timeline: Timeline;
  readonly #clock: HostClock;
  readonly #inFlight = new Set<DiskRequest>();
  #names = new NameTree();
  #faults: ArmedFault[] = [];
  #hung: DiskRequest[] | undefined;
  readonly #numbers = new WeakMap<Node, number>();
  #numbered = 0;
  #usedPages = 0;
  #fileCount = 0;

  constructor(timeline: Timeline, random: SimRandom, clock: HostClock) {
    this.#timeline = timeline;
    this.random = random;
    this.#clock = clock;
  }

  get names(): NameTree {
    return this.#names;
  }

  get usedPages(): number {
    return this.#usedPages;
  }

  get fileCount(): number {
    return this.#fileCount;
  }

  // ------------------------------------------------------------- faults

  /** Operations fail from now on, until the fault has struck `times` times. */
  fail(fault: DiskFault): void {
    this.#faults.push({ ...fault, seen: 0 });
  }

  /** Nothing ends any more (SCENARIOS 225) ... */
  hang(): void {
    this.#hung ??= [];
  }

  /** ... until now: what waited goes on, and no fault strikes any more. */
  mend(): void {
    const waiting = this.#hung ?? [];
    this.#hung = undefined;
    this.#faults = [];
    for (const request of waiting) this.#schedule(request);
  }

  /** @throws AssertionError when the file has no byte there */
  flipBit(path: string, position: number): void {
    const flipped = this.#names.file(path).content.flipBit(position, this.random.below(8));
    assert(flipped, `${path} has no byte at ${position}`);
  }

  /** A copy of everything as it is, unsynced or not. */
  image(): DiskImage {
    return { names: this.#names.clone() };
  }

  /** Replaces everything, by an empty disk when no image is given. No process may use it. */
  restore(image: DiskImage = { names: new NameTree() }): void {
    assert(this.#inFlight.size === 0 && this.locks.size === 0, 'the disk is in use');
    this.#names = image.names.clone();
    this.#count();
  }

  // ------------------------------------------------------------- for checkers

  /** Names in a directory, sorted; `undefined` when there is none. */
  list(path: string): string[] | undefined {
    const node = this.#names.find(path);
    return node?.kind === 'directory' ? [...node.entries.keys()].toSorted() : undefined;
  }

  /** The content of a file; `undefined` when there is none. */
  content(path: string): Buffer | undefined {
    const node = this.#names.find(path);
    if (node?.kind !== 'file') return undefined;
    const bytes = Buffer.alloc(node.content.sizeBytes);
    node.content.read([bytes], 0);
    return bytes;
  }

  // ------------------------------------------------------------- for the processes

  submit(request: DiskRequest): void {
    this.#inFlight.add(request);
    this.#schedule(request);
  }

  /** @throws FsError ENOSPC */
  createFile(path: string): FileNode {
    if (this.#fileCount >= this.filesMax) throw new FsError('ENOSPC', { path });
    const node = new FileNode(new SparseFile());
    this.#names.add(path, node);
    this.#fileCount++;
    this.touch(node);
    return node;
  }

  /** Another one for each file of this disk, also for a copy of it. */
  identityOf(node: Node): string {
    const number = this.#numbers.get(node) ?? ++this.#numbered;
    this.#numbers.set(node, number);
    return `1:${number}`;
  }

  /** Room for one page more, if there is. */
  readonly allocatePage = (): boolean => {
    if ((this.#usedPages + 1) * pageBytes > this.capacityBytes) return false;
    this.#usedPages++;
    return true;
  };

  truncate(node: FileNode, lengthBytes: number): void {
    const before = node.content.pageCount;
    node.content.truncate(lengthBytes);
    this.#usedPages -= before - node.content.pageCount;
    this.touch(node);
  }

  touch(node: FileNode): void {
    const { seconds, nanoseconds } = this.#clock.wall();
    node.modifiedMs = seconds * 1000 + nanoseconds / 1e6;
  }

  /** A file without name and descriptor is gone. */
  release(node: FileNode): void {
    if (node.hasName || node.opens > 0) return;
    this.#usedPages -= node.content.pageCount;
    this.#fileCount--;
  }

  /** What was synced stays; the rest is lost, kept or torn. Nobody is told. */
  powerLoss(): void {
    for (const request of this.#inFlight) {
      if (isChange(request) && this.random.chance(0.5)) attempt(request.effect);
    }
    this.#inFlight.clear();
    if (this.#hung) this.#hung = [];
    for (const file of this.#names.powerLoss(this.random)) {
      file.content.powerLoss(this.random);
      file.hasName = true;
    }
    this.#count();
  }

  // ------------------------------------------------------------- inner parts

  #schedule(request: DiskRequest): void {
    if (this.#hung) {
      this.#hung.push(request);
      return;
    }
    const slower = request.operation === 'sync' || request.operation === 'syncDirectory' ? 10 : 1;
    const delayMs = this.random.within(this.latencyMs) * slower;
    this.#timeline.after(delayMs, () => {
      if (this.#hung) this.#hung.push(request);
      else this.#perform(request);
    });
  }

  #perform(request: DiskRequest): void {
    if (!this.#inFlight.delete(request)) return;
    const { owner, operation, path, effect, done } = request;
    if (!owner.alive) {
      // The system had begun with it, or had not, when the process was killed.
      if (isChange(request) && this.random.chance(0.5)) attempt(effect);
      return;
    }
    const error = this.#injected(request) ?? attempt(effect);
    owner.enter(`disk ${operation}`, error ? `${path} ${error.code}` : path, () => done(error));
  }

  #injected(request: DiskRequest): FsError | undefined {
    const fault = this.#faults.find((armed) => strikes(armed, request));
    if (!fault) return undefined;
    return new FsError(fault.errno, {
      syscall: request.operation,
      path: request.path,
      bytesDone: request.halfEffect?.(),
    });
  }

  #count(): void {
    const files = this.#names.files();
    this.#fileCount = files.length;
    this.#usedPages = files.reduce((sum, file) => sum + file.content.pageCount, 0);
  }
}

function strikes(fault: ArmedFault, request: DiskRequest): boolean {
  const applies =
    fault.operation === undefined ? isChange(request) : fault.operation === request.operation;
  if (!applies || !request.path.includes(fault.path ?? '')) return false;
  const from = fault.from ?? 1;
  fault.seen++;
  return fault.seen >= from && fault.seen < from + (fault.times ?? 1);
}

function isChange({ operation }: DiskRequest): boolean {
  return changes.some((change) => change === operation);
}

function attempt(effect: () => void): FsError | undefined {
  try {
    effect();
    return undefined;
  } catch (error) {
    if (isFsError(error)) return error;
    throw error;
  }
}
