/**
 * Mounts make new directories, and new files in them, write those a few times, change them, sync, rename, close and remove them, while
 * other mounts look at the same files, and daemons and clients are killed, stopped and cut off. Nobody sees a
 * file without what was done to it before he looked, unless its maker was killed before anybody knew; and
 * who has one open reads on when it is removed.
 */
import { constants } from 'node:fs';
import { connect } from '../../client/connect.ts';
import { KernelCache } from '../../client/fuse/kernel-cache.ts';
import { NodeTable } from '../../client/fuse/node-table.ts';
import { attributeHandlers } from '../../client/fuse/operations/attributes.ts';
import { fileHandlers } from '../../client/fuse/operations/files.ts';
import { nameHandlers } from '../../client/fuse/operations/names.ts';
import { setAttrBits } from '../../client/fuse/protocol.ts';
import { SmallContents } from '../../client/fuse/small-contents.ts';
import type { Volume } from '../../client/fuse/volume.ts';
import { HandleAccess } from '../../client/handle-access.ts';
import { FsError, hasCode, isFsError } from '../../shared/errno.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import { type ByteString, byteString, type Handle, rootHandle } from '../../shared/units.ts';
import { Deadlines } from './checkers.ts';
import { Cluster, clusterUrl, secret } from './cluster.ts';
import { failureOf } from './failure-of.ts';
import { type FaultKind, Faults } from './faults.ts';
import { ReferenceModel } from './reference-model.ts';
import type { SimProcess } from './runtime/process.ts';
import type { SimRandom } from './runtime/random.ts';
import { volumeOf } from './volume.ts';
import { control } from './mount-control.ts';

export interface NewFilesOptions {
  readonly seed: number;
  /** Virtual time for which the clients are at work. */
  readonly forMs: number;
  readonly faults?: readonly FaultKind[];
  /** To see that it is found: nobody asks the maker of a file for it. */
  readonly defect?: 'selfish';
}

export interface NewFilesVerdict {
  readonly failure: Error | undefined;
  readonly files: number;
  /** Of them, made in directories that were lent to their makers. */
  readonly namesHere: number;
  /** Changes that were made here, and looks of others at files whose maker is still at work. */
  readonly lentChanges: number;
  readonly earlyLooks: number;
  readonly looks: number;
  /** At files that were opened without the mgr's knowledge, and are removed. */
  readonly looksAtGone: number;
  /** Directories that were lent to those who took them away. */
  readonly directoriesGone: number;
}

/** Where something was made; `undefined`: in the root. */
interface NewDirectory {
  readonly name: ByteString;
  readonly handle: Handle;
  readonly parent: NewDirectory | undefined;
}

/** What a file holds after each change, and how much of that must be seen. */
class NewFile {
  name: ByteString;
  readonly handle: Handle;
  readonly maker: Life;
  readonly parent: NewDirectory | undefined;
  /** More than its maker know that it is there. */
  isKnown: boolean;
  /** Last change that was begun, that was finished, and that more than its maker knows of. */
  begun = 0;
  finished = 0;
  known = 0;
  isClosed = false;
  /** Perhaps for ever, when nobody has told how that ended. */
  isRenaming = false;
  removal: 'none' | 'begun' | 'done' = 'none';
  /** Its maker has been told that it is lost, or does not know. */
  isInDoubt = false;

  constructor(name: ByteString, handle: Handle, maker: Life, parent: NewDirectory | undefined) {
    this.name = name;
    this.handle = handle;
    this.maker = maker;
    this.parent = parent;
    this.isKnown = parent === undefined;
  }

  /** Nobody may find it. */
  get isGone(): boolean {
    return this.removal === 'done' && !this.maker.isOver && !this.isInDoubt;
  }

  /** Nobody may miss it. */
  get mustBeThere(): boolean {
    return this.isKnown || !(this.maker.isOver || this.isInDoubt);
  }

  /** What has to be seen now. */
  get least(): number {
    return this.maker.isOver || this.isInDoubt ? this.known : Math.max(this.finished, this.known);
  }
}

/** Of a client, from a start to its end. */
interface Life {
  readonly name: string;
  isOver: boolean;
  /** In which it makes files. */
  readonly directories: NewDirectory[];
}

const uncertain: ReadonlySet<string> = new Set([
  'EAGAIN',
  'EBADF',
  'ECANCELED',
  'ECONNREFUSED',
  'EIO',
  'EPIPE',
  'ESTALE',
  'ETIMEDOUT',
]);
const deadlineMs = 60_000;
const filesLookedAt = 6;
const smallFileBytes = 4096;

export async function runNewFiles(options: NewFilesOptions): Promise<NewFilesVerdict> {
  const run = new NewFiles(options);
  const failure = await failureOf(run.go(options.forMs));
  const { files, namesHere, lentChanges, earlyLooks, looks, looksAtGone, directoriesGone } = run;
  const looked = { earlyLooks, looks, looksAtGone };
  return { failure, files, namesHere, lentChanges, ...looked, directoriesGone };
}

class NewFiles {
  files = 0;
  namesHere = 0;
  lentChanges = 0;
  earlyLooks = 0;
  looks = 0;
  looksAtGone = 0;
  directoriesGone = 0;
  /** Directories that were taken away, by whom. */
  readonly #gone: { name: ByteString; parent: NewDirectory | undefined; by: Life }[] = [];
  readonly #cluster: Cluster;
  readonly #faults: Faults;
  readonly #random: SimRandom;
  readonly #known: NewFile[] = [];
  readonly #isSelfish: boolean;
  readonly #killsClients: boolean;
  /** Who is not heard of for long may lose what he has just opened. */
  readonly #cutsOff: boolean;
  /** When each client has ended a step last. */
  readonly #stepped = new Map<string, number>();
  #isOver = false;

  constructor({ seed, faults = [], defect }: NewFilesOptions) {
    this.#isSelfish = defect === 'selfish';
    this.#killsClients = faults.includes('client');
    this.#cutsOff = faults.some((kind) => kind !== 'mgr');
    this.#cluster = new Cluster({ seed, iods: 2, smallFileBytes, onPowerLoss: () => undefined });
    const { world } = this.#cluster;
    this.#random = world.random.fork('new files');
    this.#faults = new Faults({
      cluster: this.#cluster,
      clients: ['a', 'b', 'c'].map((name) => this.#makeClient(name)),
      model: new ReferenceModel(() => world.nowMs, 0),
      deadlines: new Deadlines(world),
      random: world.random.fork('faults'),
      kinds: new Set(faults),
    });
  }

  async go(forMs: number): Promise<void> {
    const { world } = this.#cluster;
    await world.run({ untilMs: world.nowMs + forMs });
    this.#faults.end();
    await world.run({ untilMs: world.nowMs + 10_000 });
    this.#isOver = true;
    // What a dead client was lent others wait for longer than that.
    if (!this.#killsClients) this.#requireSteps(world.nowMs - 5000);
  }

  /** Nobody waits for something that never comes. */
  #requireSteps(sinceMs: number): void {
    for (const [name, steppedMs] of this.#stepped) {
      if (steppedMs < sinceMs) throw new Error(`${name} has got nowhere since ${steppedMs} ms`);
    }
  }

  #makeClient(name: string): SimProcess {
    let life: Life = { name, isOver: true, directories: [] };
    const begin = async (runtime: Runtime): Promise<void> => {
      life = { name, isOver: false, directories: [] };
      while (!this.#isOver) {
        await this.#work(runtime, life).catch(passUncertain);
        await this.#pause(runtime);
      }
    };
    return this.#cluster.client(name, begin, () => {
      life.isOver = true;
    });
  }

  async #work(runtime: Runtime, life: Life): Promise<void> {
    const { name } = life;
    const options = { runtime, key: secret, name, uid: 0, gid: 0, umask: 0 };
    const fileSystem = await connect(clusterUrl, options);
    const volume = this.#volume(fileSystem, runtime);
    const lanes = Array.from({ length: 2 }, async () => {
      while (!this.#isOver) {
        await this.#step(volume, life).catch(passUncertain);
        this.#stepped.set(life.name, this.#cluster.world.nowMs);
        await this.#pause(runtime);
      }
    });
    await Promise.all(lanes);
  }

  #step(volume: Volume, life: Life): Promise<void> {
    if (this.#random.chance(0.3)) return this.#make(volume, life);
    if (this.#random.chance(0.1)) return this.#makeAndRemove(volume, life);
    return this.#random.chance(0.1) ? this.#lookForGone(volume) : this.#look(volume, life);
  }

  #volume(fileSystem: Awaited<ReturnType<typeof connect>>, { clock }: Runtime): Volume {
    const nodes = new NodeTable();
    const kernel = new KernelCache({ clock, nodes, notify: () => Promise.resolve() });
    const access = new HandleAccess({
      fileSystem,
      deadlineMs,
      revoke: () => Promise.resolve(),
    });
    if (this.#isSelfish) {
      for (const one of [access.lent, access.names])
        if (one) one.recalled = () => Promise.resolve();
    }
    return volumeOf(access, { nodes, kernel, contents: new SmallContents() });
  }

  /** A program makes a file and does this and that to it. */
  async #make(volume: Volume, maker: Life): Promise<void> {
    const parent = await this.#directory(volume, maker);
    const name = byteString(`new-${this.files++}`);
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
    const creation = request(parent?.handle ?? rootHandle, { flags, mode: 0o644 }, name);
    if (parent !== undefined && volume.access.here(parent.handle)) this.namesHere++;
    const { entry, open } = await fileHandlers.create(volume, creation, control);
    const file = new NewFile(name, entry.node as Handle, maker, parent);
    this.#known.push(file);
    if (this.#known.length > filesLookedAt) this.#known.shift();
    try {
      for (let changes = this.#random.below(6); changes > 0; changes--) {
        await this.#change(volume, file, open.file);
        await this.#pause(volume.access.session.runtime);
      }
      if (this.#random.chance(0.2)) await this.#rename(volume, file);
      fileHandlers.release(volume, request(file.handle, { file: open.file }));
      file.isClosed = true;
      if (this.#random.chance(0.2)) await this.#remove(volume, file);
    } catch (error) {
      // The file may be anything that it has been since somebody knew of it.
      file.isInDoubt = true;
      throw error;
    }
  }

  /** Where the next file is made: somewhere that this client has made, or in the root. */
  async #directory(volume: Volume, { directories }: Life): Promise<NewDirectory | undefined> {
    const parent = directories.length > 0 ? this.#random.pick(directories) : undefined;
    if (this.#random.chance(0.2)) return undefined;
    if (parent !== undefined && this.#random.chance(0.7)) return parent;
    const name = byteString(`directory-${this.files++}`);
    const making = request(parent?.handle ?? rootHandle, { mode: 0o755 }, name);
    const { node } = await nameHandlers.makeDirectory(volume, making, control);
    const made = { name, handle: node as Handle, parent };
    directories.push(made);
    if (directories.length > 3) directories.shift();
    return made;
  }

  /** A program makes a directory, perhaps with something in it, and takes it away. */
  async #makeAndRemove(volume: Volume, life: Life): Promise<void> {
    const parent = await this.#directory(volume, life);
    const where = parent?.handle ?? rootHandle;
    const { runtime } = volume.access.session;
    const name = byteString(`passing-${this.files++}`);
    const making = request(where, { mode: 0o755 }, name);
    const { node } = await nameHandlers.makeDirectory(volume, making, control);
    if (this.#random.chance(0.5)) {
      const inside = byteString('inside');
      const creation = request(node as Handle, { flags: constants.O_WRONLY, mode: 0o644 }, inside);
      const { open } = await fileHandlers.create(volume, creation, control);
      fileHandlers.release(volume, request(node as Handle, { file: open.file }));
      await this.#pause(runtime);
      await nameHandlers.unlink(volume, request(node as Handle, {}, inside), control);
    }
    await this.#pause(runtime);
    const isLent = [where, node as Handle].every((one) => volume.access.here(one) !== undefined);
    await nameHandlers.removeDirectory(volume, request(where, {}, name), control);
    if (isLent) this.directoriesGone++;
    this.#gone.push({ name, parent, by: life });
    if (this.#gone.length > filesLookedAt) this.#gone.shift();
  }

  /** Nobody finds a directory that was taken away, unless with its remover that was lost too. */
  async #lookForGone(volume: Volume): Promise<void> {
    if (this.#gone.length === 0) return;
    const { name, parent, by } = this.#random.pick(this.#gone);
    try {
      const directory = await this.#walk(volume, parent);
      const lookup = request(directory, {}, name);
      const { node } = await nameHandlers.lookup(volume, lookup, control);
      if (node !== 0 && !by.isOver) throw new Error(`${name} is there again`);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }

  async #change(volume: Volume, file: NewFile, number: number): Promise<void> {
    const { lent } = volume.access;
    const { handle } = file;
    const state = ++file.begun;
    const isLent = lent.attr(handle) !== undefined;
    const content = contentOf(state);
    const body = { file: number, offset: 0, size: content.length, writeFlags: 0, flags: 0 };
    const write = request(handle, body, content);
    await fileHandlers.write(volume, write, control);
    if (isLent && lent.attr(handle) !== undefined) this.lentChanges++;
    file.finished = state;
    if (this.#random.chance(0.3)) {
      const change = { valid: setAttrBits.modified, modified: state, modifiedNs: 0 };
      await attributeHandlers.setAttr(volume, request(handle, change), control);
    }
    if (this.#random.chance(0.1)) {
      await fileHandlers.fsync(volume, request(handle, { file: number }), control);
      file.known = Math.max(file.known, state);
      file.isKnown = true;
    }
  }

  async #rename(volume: Volume, file: NewFile): Promise<void> {
    const to = byteString(`${file.name}.done`);
    const directory = file.parent?.handle ?? rootHandle;
    const renaming = request(directory, { directory, flags: 0 }, [file.name, to]);
    file.isRenaming = true;
    await nameHandlers.rename2(volume, renaming, control);
    file.name = to;
    file.isRenaming = false;
    file.isKnown = true;
  }

  async #remove(volume: Volume, file: NewFile): Promise<void> {
    await this.#pause(volume.access.session.runtime);
    const { name, parent } = file;
    file.removal = 'begun';
    const unlinking = request(parent?.handle ?? rootHandle, {}, name);
    await Promise.resolve(nameHandlers.unlink(volume, unlinking, control));
    file.removal = 'done';
  }

  /** Another program, here or elsewhere, looks the file up and reads it. */
  async #look(volume: Volume, life: Life): Promise<void> {
    if (this.#known.length === 0) return;
    const file = this.#random.pick(this.#known);
    const { name, isClosed } = file;
    const { least } = file;
    const { mustBeThere, isGone } = file;
    let size: number;
    try {
      const directory = await this.#walk(volume, file.parent);
      const lookup = request(directory, {}, name);
      const { node, attr } = await nameHandlers.lookup(volume, lookup, control);
      if (node === 0) throw new FsError('ENOENT');
      ({ size } = attr);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
      // It is being renamed, or was.
      if (name !== file.name || file.isRenaming || file.removal !== 'none') return;
      if (!mustBeThere || !file.mustBeThere) return;
      throw error;
    }
    if (isGone && file.isGone) throw new Error(`${name} is there again`);
    file.isKnown = true;
    this.#saw(file, least, (state) => contentOf(state).length === size, `size ${size}`);
    const sinceThen = file.least;
    const number = await this.#open(volume, file);
    if (number === undefined) return;
    try {
      await this.#read(volume, file, number, sinceThen);
    } catch (error) {
      if (!this.#cutsOff || !hasCode(error, 'ENOENT')) throw error;
    }
    fileHandlers.release(volume, request(file.handle, { file: number }));
    this.looks++;
    if (!isClosed && file.maker.name !== life.name) this.earlyLooks++;
  }

  /** Several times through one descriptor: the file may be removed meanwhile. */
  async #read(volume: Volume, file: NewFile, number: number, since: number): Promise<void> {
    const isUnknown = volume.files.get(number).held === undefined;
    let least = since;
    for (let reads = 1 + this.#random.below(4); ; reads--) {
      const isGone = file.removal === 'done';
      const reading = request(file.handle, { file: number, offset: 0, size: 2 * smallFileBytes });
      const pieces = await fileHandlers.read(volume, reading, control);
      const seen = Buffer.concat(pieces);
      this.#saw(file, least, (state) => contentOf(state).equals(seen), `${seen.length} bytes`);
      if (isGone && isUnknown) this.looksAtGone++;
      if (reads === 1) return;
      await this.#pause(volume.access.session.runtime);
      ({ least } = file);
    }
  }

  /** @returns undefined: it is gone meanwhile */
  async #open(volume: Volume, file: NewFile): Promise<number | undefined> {
    const opening = request(file.handle, { flags: constants.O_RDONLY, openFlags: 0 });
    try {
      return (await fileHandlers.open(volume, opening, control)).file;
    } catch (error) {
      if (file.removal !== 'none' && hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** Step by step, as whoever does not know it. */
  async #walk(volume: Volume, directory: NewDirectory | undefined): Promise<Handle> {
    if (directory === undefined) return rootHandle;
    const parent = await this.#walk(volume, directory.parent);
    const { node } = await nameHandlers.lookup(
      volume,
      request(parent, {}, directory.name),
      control,
    );
    if (node === 0) throw new FsError('ENOENT');
    return node as Handle;
  }

  /** A change that is under way may be seen in parts. */
  #saw(file: NewFile, least: number, isSeen: (state: number) => boolean, what: string): void {
    const isChanging = file.begun !== file.finished;
    for (let state = least; state <= file.begun; state++) {
      if (!isSeen(state)) continue;
      file.known = Math.max(file.known, state);
      return;
    }
    if (isChanging) return;
    throw new Error(`${file.name}: saw ${what}, which is not of ${least} to ${file.begun}`);
  }

  #pause({ clock }: Runtime): Promise<void> {
    return new Promise((resolve) => {
      clock.timer(this.#random.within([0, 60]), resolve);
    });
  }
}

/** Longer each time; some are too long for the mgr's store. */
function contentOf(state: number): Buffer {
  if (state === 0) return Buffer.alloc(0);
  return Buffer.alloc(state * (state > 3 ? 1200 : 10), `${state}`);
}

/** A request without what the handlers do not look at. */
function request(node: Handle, body: object, tail?: unknown) {
  return { header: { node, uid: 0, gid: 0, pid: 0 }, body, tail, groups: [] } as never;
}

function passUncertain(error: unknown): void {
  if (!isFsError(error) || !uncertain.has(error.code)) throw error;
}
