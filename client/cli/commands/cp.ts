/** `weft cp`: in, out and within, with the rules of cp(1), many files and pieces at once. */
import type { Run } from '../command.ts';
import { type CopyEvents, Copier, type NotKept } from '../copy/copier.ts';
import { localTree } from '../copy/local-tree.ts';
import { checkOperands, type CopyPair, nodeAt, type Place, pairUp } from '../copy/targets.ts';
import { below, type Node } from '../copy/tree.ts';
import { weftTree } from '../copy/weft-tree.ts';
import { describeFailure, failureText } from '../failure.ts';
import { counted, humanBytes, humanDuration, humanRate } from '../../../shared/figures.ts';
import { layoutWish } from '../layout-wish.ts';
import type { Output } from '../output.ts';
import { type Figures, Progress } from '../progress.ts';
import { parseLocation } from '../remote-path.ts';

export const run: Run = async (given, { output, fileSystem }) => {
  const locations = given.operands.map(parseLocation);
  checkOperands(locations.map(({ kind }) => kind));
  const layout = layoutWish(given);
  const weft = weftTree(await fileSystem());
  const pairs = await pairUp(
    locations.map(({ kind, path }) => ({
      tree: kind === 'weft' ? weft : localTree,
      path: Buffer.from(path),
    })),
  );
  const recursive = given.flag('recursive');
  const tally = new Tally(output);
  const progress = new Progress(output, () => tally.figures);
  if (progress.shown) void tally.measure(pairs, recursive);
  const options = { recursive, preserve: given.flag('preserve'), sync: given.flag('sync'), layout };
  const copier = new Copier(options, tally);
  for (const pair of pairs) await copier.copy(pair);
  progress.end();
  tally.report(progress.isBar);
  return tally.failures === 0 ? undefined : 'failed';
};

/** Failures beyond this are counted but not listed. */
const failuresListedMax = 1000;

/** What has been done so far, and how much there is to do. */
class Tally implements CopyEvents {
  failures = 0;
  readonly #output: Output;
  readonly #begun = performance.now();
  readonly #done = { files: 0, directories: 0, links: 0 };
  readonly #notKept = new Map<NotKept, number>();
  readonly #listed: object[] = [];
  #bytes = 0;
  #total: { bytes: number; files: number } | undefined;
  #over = false;

  constructor(output: Output) {
    this.#output = output;
  }

  bytes(count: number): void {
    this.#bytes += count;
  }

  done(kind: 'files' | 'directories' | 'links'): void {
    this.#done[kind]++;
  }

  notKept(what: NotKept): void {
    this.#notKept.set(what, (this.#notKept.get(what) ?? 0) + 1);
  }

  failed({ from, to }: CopyPair, error: unknown): void {
    this.failures++;
    const names = { from: from.tree.show(from.path), to: to.tree.show(to.path) };
    const failure = describeFailure(error);
    if (!this.#output.json) {
      this.#output.remark(`${failureText(failure)}\n  in:     ${names.from} -> ${names.to}`);
    } else if (this.#listed.length < failuresListedMax) {
      const { code, weftCode = null, message } = failure;
      this.#listed.push({ ...names, code, weftCode, message });
    }
  }

  get figures(): Figures {
    const { files, links } = this.#done;
    const copied = files + links;
    const total = this.#total;
    const alone = total === undefined ? [counted(copied, 'file')] : [];
    const seconds = (performance.now() - this.#begun) / 1000;
    // Of nothing but empty files and links the bytes tell nothing.
    if (total?.bytes === 0) return { done: copied, total: total.files, unit: 'files', seconds };
    return {
      done: this.#bytes,
      total: total?.bytes,
      unit: 'bytes',
      seconds,
      also:
        total !== undefined && total.files > 1
          ? [`${copied} of ${counted(total.files, 'file')}`]
          : alone,
    };
  }

  /** Counts all there is to copy, beside the copy itself. */
  async measure(pairs: readonly CopyPair[], recursive: boolean): Promise<void> {
    const total = { bytes: 0, files: 0 };
    const add = async ({ tree, path }: Place, known?: Node): Promise<void> => {
      const node = known ?? (await nodeAt({ tree, path }, recursive ? 'lstat' : 'stat'));
      if (node === undefined || this.#over) return;
      if (node.kind !== 'directory') {
        total.files++;
        total.bytes += node.kind === 'file' ? node.size : 0;
      } else if (recursive) {
        for await (const child of tree.list(path)) {
          await add({ tree, path: below(path, child.name) }, child.node);
        }
      }
    };
    try {
      for (const { from } of pairs) await add(from);
      this.#total = total;
    } catch {
      // The copy meets the same and tells it; there is just no bar.
    }
  }

  report(onTerminal: boolean): void {
    this.#over = true;
    const { seconds } = this.figures;
    const bytes = this.#bytes;
    const notKept = Object.fromEntries(this.#notKept);
    this.#output.object({
      ...this.#done,
      bytes,
      seconds,
      notKept,
      failures: this.#listed,
      failuresTotal: this.failures,
    });
    if (this.#output.json) return;
    for (const [what, count] of this.#notKept) {
      this.#output.remark(`weft: ${what} were not kept, of ${counted(count, 'file')}`);
    }
    if (this.failures > 0) this.#output.remark(`weft: ${this.failures} could not be copied`);
    if (!onTerminal) return;
    const { files, directories, links } = this.#done;
    const what = [
      counted(files, 'file'),
      ...(directories > 0 ? [`${directories} directories`] : []),
      ...(links > 0 ? [counted(links, 'link')] : []),
    ].join(', ');
    const pace = `${humanDuration(seconds)}, ${humanRate(bytes, seconds)}`;
    this.#output.remark(`${what}: ${humanBytes(bytes)} in ${pace}`);
  }
}
