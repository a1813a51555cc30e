/** `weft ls`: directories in the manner of ls(1), page by page, with attributes in one round trip. */
import { byteString, type ByteString } from '../../../shared/units.ts';
import type { FileSystem } from '../../file-system.ts';
import type { Stats } from '../../stats.ts';
import type { Arguments } from '../arguments.ts';
import { alignRows, fillColumns } from '../columns.ts';
import type { Run } from '../command.ts';
import { type PathFailure, tellFailure, verdict } from '../each-path.ts';
import { type Entry, entryJson, longCells, paintedName } from '../entry.ts';
import type { Output } from '../output.ts';
import { remotePath } from '../remote-path.ts';
import { shownName } from '../../observing/shown-text.ts';

export const run: Run = async (given, { output, fileSystem }) => {
  const listing = new Listing(await fileSystem(), given, output);
  const paths = given.operands.length === 0 ? ['/'] : given.operands;
  const directories: ByteString[] = [];
  const files: Entry[] = [];
  for (const path of paths.map(remotePath)) {
    await listing.attempt(path, async (fs) => {
      const asItself = given.flag('directory') || given.flag('long');
      const link = await fs.lstat(path);
      const stats = link.isSymbolicLink() && !asItself ? await fs.stat(path) : link;
      if (stats.isDirectory() && !given.flag('directory')) directories.push(byteString(path));
      else files.push(await listing.entry(byteString(path), byteString(path), stats));
    });
  }
  await listing.print('', files);
  const titled = directories.length + files.length > 1 || given.flag('recursive');
  for (const path of directories) await listing.directory(path, titled);
  for (const error of listing.failures) output.object({ error });
  return verdict(listing.failures);
};

class Listing {
  readonly failures: PathFailure[] = [];
  readonly #fs: FileSystem;
  readonly #given: Arguments;
  readonly #output: Output;
  readonly #now = new Date();
  #begun = false;

  constructor(fs: FileSystem, given: Arguments, output: Output) {
    this.#fs = fs;
    this.#given = given;
    this.#output = output;
  }

  /** What fails is told, and the rest goes on. */
  async attempt(path: string, work: (fs: FileSystem) => Promise<void>): Promise<void> {
    try {
      await work(this.#fs);
    } catch (error: unknown) {
      this.failures.push(tellFailure(error, path, this.#output));
    }
  }

  async directory(path: ByteString, titled: boolean): Promise<void> {
    const below: ByteString[] = [];
    await this.attempt(shownName(path), async (fs) => {
      if (titled) this.#output.lines([...(this.#begun ? [''] : []), `${shownName(path)}:`]);
      this.#begun = true;
      const sorted = !this.#given.flag('unsorted') && !this.#output.json;
      const waiting: Entry[] = [];
      const pages = fs.opendir(Buffer.from(path, 'latin1'), { attributes: true }).pages();
      for await (const page of pages) {
        const shown = page.filter(
          ({ nameBytes }) => this.#given.flag('all') || !nameBytes.startsWith('.'),
        );
        for (const { nameBytes, kind } of shown) {
          if (kind === 'directory') below.push(joined(path, nameBytes));
        }
        const entries = await Promise.all(
          shown.flatMap(({ nameBytes, stats }) =>
            stats === undefined ? [] : [this.entry(nameBytes, joined(path, nameBytes), stats)],
          ),
        );
        if (!sorted) await this.print(path, entries);
        else for (const entry of entries) waiting.push(entry);
      }
      await this.print(path, waiting.toSorted(byName));
    });
    if (!this.#given.flag('recursive')) return;
    for (const directory of below.toSorted()) await this.directory(directory, true);
  }

  async entry(name: ByteString, path: ByteString, stats: Stats): Promise<Entry> {
    const wanted = stats.isSymbolicLink() && (this.#given.flag('long') || this.#output.json);
    const target = wanted ? await this.#target(path) : undefined;
    return { name, stats, target };
  }

  /** @returns `undefined` when the link is gone by now */
  async #target(path: ByteString): Promise<Uint8Array | undefined> {
    let target: Uint8Array | undefined;
    await this.attempt(shownName(path), async (fs) => {
      target = await fs.readlinkBytes(Buffer.from(path, 'latin1'));
    });
    return target;
  }

  /** @param directory path that the names are in; '' when they are paths themselves */
  async print(directory: ByteString | '', entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    this.#begun = true;
    if (this.#output.json) {
      for (const entry of entries) {
        const path = directory === '' ? entry.name : joined(directory, entry.name);
        this.#output.object({ ...entryJson(path, entry), name: shownName(entry.name) });
      }
    } else this.#output.lines(this.#lines(entries));
    await this.#output.flushed();
  }

  #lines(entries: readonly Entry[]): readonly string[] {
    const { paint, isTerminal, width } = this.#output;
    if (this.#given.flag('long')) {
      const options = { human: this.#given.flag('human'), paint, now: this.#now };
      const rows = entries.map((entry) => longCells(entry, options));
      return alignRows(rows, ['left', 'right', 'right', 'right', 'right']);
    }
    const names = entries.map(({ name, stats }) => paintedName(name, stats, paint));
    return isTerminal ? fillColumns(names, width) : names;
  }
}

function joined(directory: ByteString, name: ByteString): ByteString {
  return `${directory}${directory.endsWith('/') ? '' : '/'}${name}` as ByteString;
}

function byName(a: Entry, b: Entry): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
