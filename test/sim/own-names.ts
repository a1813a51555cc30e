/**
 * Names that one lane alone makes and removes, in a directory that all share: it knows which of
 * them must be there, so that it can judge listings of many pages while others change the
 * directory. Such a listing has no moment of its own, so the linearizer cannot.
 */
import type { FileSystem } from '../../client/file-system.ts';
import { placeOf } from '../../client/path.ts';
import { isFsError } from '../../shared/errno.ts';
import { displayText } from '../../shared/units.ts';
import { nameOps } from '../../shared/wire/mgr-ops.ts';
import type { SimRandom } from './runtime/random.ts';

export const manyDirectory = '/many';
const namesMax = 40;
const pageEntries = 3;

interface Control {
  readonly deadlineMs: number;
}

export class OwnNames {
  readonly #prefix: string;
  readonly #random: SimRandom;
  readonly #there = new Set<string>();
  /** Of calls that have not been answered. */
  readonly #doubtful = new Set<string>();
  #made = 0;

  constructor(prefix: string, random: SimRandom) {
    this.#prefix = prefix;
    this.#random = random;
  }

  /** @throws FsError; Error when a listing is wrong */
  async step(fs: FileSystem, control: Control): Promise<void> {
    const random = this.#random;
    if (this.#made > 0 && random.chance(0.5)) return this.#list(fs, control);
    if (this.#there.size < namesMax && random.chance(0.8)) return this.#make(fs, control);
    const [name] = random.shuffle([...this.#there]);
    if (name !== undefined) await this.#remove(fs, name, control);
  }

  async #make(fs: FileSystem, control: Control): Promise<void> {
    await fs.mkdir(manyDirectory, control).catch((error: unknown) => {
      if (!isFsError(error) || error.code !== 'EEXIST') throw error;
    });
    const name = `${this.#prefix}-${this.#made++}`;
    this.#doubtful.add(name);
    await fs.symlink('nowhere', `${manyDirectory}/${name}`, control);
    this.#doubtful.delete(name);
    this.#there.add(name);
  }

  async #remove(fs: FileSystem, name: string, control: Control): Promise<void> {
    this.#doubtful.add(name);
    this.#there.delete(name);
    await fs.unlink(`${manyDirectory}/${name}`, control);
    this.#doubtful.delete(name);
  }

  async #list(fs: FileSystem, control: Control): Promise<void> {
    const before = [...this.#there];
    const seen: string[] = [];
    const at = placeOf(manyDirectory);
    const options = { deadline: fs.session.runtime.clock.now() + control.deadlineMs };
    for (let after = 0, done = false; !done;) {
      const request = { at, after, count: pageEntries, attributes: false };
      const page = await fs.session.call(nameOps.readDirectory, request, options);
      seen.push(...page.entries.map(({ name }) => displayText(name)));
      after = page.entries.at(-1)?.cookie ?? after;
      done = page.done;
    }
    const names = new Set(seen);
    if (names.size < seen.length) throw new Error(`a listing has names twice: ${seen.join(' ')}`);
    const missing = before.filter((name) => !names.has(name));
    if (missing.length > 0) throw new Error(`I1: a listing lacks ${missing.join(' ')}`);
    const back = seen.filter((name) => this.#isGone(name));
    if (back.length > 0) throw new Error(`I6: a listing has ${back.join(' ')}, which were removed`);
  }

  #isGone(name: string): boolean {
    if (!name.startsWith(`${this.#prefix}-`)) return false;
    return !this.#there.has(name) && !this.#doubtful.has(name);
  }
}
