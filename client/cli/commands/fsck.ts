/**
 * `weft fsck`: what the mgr knows against what the iods have. It changes nothing by itself; asked to
 * repair, it sets aside what no file has (promise 7). What was quarantined is put back or deleted
 * where the user names it.
 */
import { noSecret } from '../../../shared/auth.ts';
import { parseClusterUrl } from '../../../shared/cluster-url.ts';
import { limits } from '../../../shared/limits.ts';
import { makeNodeRuntime } from '../../../shared/runtime/node.ts';
import type { Member } from '../../../shared/wire/values.ts';
import { credentialOf } from '../../connect.ts';
import { type Arguments, UsageError } from '../arguments.ts';
import type { Context, Run } from '../command.ts';
import type { Asker } from '../direct-connection.ts';
import { shortFailure } from '../failure.ts';
import { counted, displayBytes } from '../../../shared/figures.ts';
import { audit, type FileRow, judge, type Suspect } from '../fsck/audit.ts';
import type { Output } from '../output.ts';
import { Progress } from '../progress.ts';
import type { FileSystem } from '../../file-system.ts';
import { IodListing, MgrListing } from '../fsck/listings.ts';
import { printable } from '../../observing/shown-text.ts';

interface Finding {
  readonly kind: 'unreachable' | 'quarantined' | Suspect['kind'];
  readonly iod: string;
  readonly handle: number | null;
  readonly path: string | null;
  readonly what: string;
}

/** Findings beyond this are counted but not listed. */
const listedMax = 1000;

export const run: Run = async (given, context) => {
  const wishes = parseWishes(given);
  const repair = given.flag('repair');
  const { output, fileSystem } = context;
  const fs = await fileSystem();
  const asker = {
    runtime: makeNodeRuntime({ log: 'silent' }),
    name: context.connectOptions.name ?? 'weft fsck',
    stepMs: context.connectOptions.callDeadlineMs ?? limits.callDeadlineDefaultMs,
  };
  const mgr = new MgrListing(fs, asker);
  const findings = new Findings();
  const iods = await openIods(await fs.members(), asker, context, findings);
  try {
    const resolved: Wish[] = [];
    for (const { iod, id, action } of wishes) {
      const listing = iods.find(({ member }) => member.name === iod);
      if (listing === undefined)
        throw new UsageError(`no iod '${iod}' can be reached`, 'weft status');
      await listing.resolve(id, action);
      resolved.push({ iod, id, action });
    }
    const counts = { files: 0, objects: 0, setAside: 0 };
    const progress = await showProgress(fs, output, counts);
    try {
      const isReaping = async (): Promise<boolean> => (await fs.status()).reaping > 0;
      await compare(mgr, iods, { counts, findings, repair, isReaping });
      for (const listing of iods) await reviewQuarantine(listing, mgr, findings);
    } finally {
      progress.end();
    }
    const ok = findings.total === 0;
    output.result(
      { ok, ...counts, findings: findings.listed, findingsTotal: findings.total, resolved },
      () => [
        ...resolved.map(({ iod, id, action }) => `${iod}:${printable(id)}: ${action}d`),
        ...findings.listed.map(findingLine),
        ...(findings.total > findings.listed.length
          ? [`… and ${findings.total - findings.listed.length} more`]
          : []),
        ...(findings.hasHomeless
          ? ['weft fsck --repair sets aside what no file has; it can be put back']
          : []),
        ...(repair ? [`${counted(counts.setAside, 'object')} set aside`] : []),
        `${counted(counts.files, 'file')}, ${counted(counts.objects, 'object')} on ` +
          `${counted(iods.length, 'iod')}: ${ok ? 'all is well' : counted(findings.total, 'finding')}`,
      ],
    );
    return ok ? undefined : 'failed';
  } finally {
    for (const listing of iods) listing.close();
  }
};

/** By the files of the mgr: objects are looked at beside them. */
async function showProgress(
  fs: FileSystem,
  output: Output,
  counts: { readonly files: number; readonly objects: number },
): Promise<Progress> {
  const { files: total } = await fs.status();
  const begun = performance.now();
  return new Progress(output, () => ({
    done: counts.files,
    total,
    unit: 'files',
    seconds: (performance.now() - begun) / 1000,
    also: [counted(counts.objects, 'object')],
  }));
}

class Findings {
  readonly listed: Finding[] = [];
  total = 0;
  /** There are objects that no file has. */
  hasHomeless = false;

  add(finding: Finding): void {
    this.total++;
    this.hasHomeless ||= isHomeless(finding);
    if (this.listed.length < listedMax) this.listed.push(finding);
  }
}

async function openIods(
  members: readonly Member[],
  asker: Asker,
  { url, connectOptions }: Context,
  findings: Findings,
): Promise<readonly IodListing[]> {
  const { runtime } = asker;
  const keyFile = url === undefined ? undefined : parseClusterUrl(url).keyFile;
  const { kind, key } = await credentialOf(runtime, connectOptions, keyFile);
  const secret = kind === 'none' ? noSecret : key;
  const opened = await Promise.all(
    members.map(async (member) => {
      try {
        return [await IodListing.open(asker, member, { kind: 'cluster', name: '', key: secret })];
      } catch (error: unknown) {
        const what = `its objects could not be looked at: ${shortFailure(error)}`;
        findings.add({ kind: 'unreachable', iod: member.name, handle: null, path: null, what });
        return [];
      }
    }),
  );
  return opened.flat();
}

interface Comparison {
  readonly counts: { files: number; objects: number; setAside: number };
  readonly findings: Findings;
  readonly repair: boolean;
  readonly isReaping: () => Promise<boolean>;
}

async function compare(
  mgr: MgrListing,
  iods: readonly IodListing[],
  { counts, findings, repair, isReaping }: Comparison,
): Promise<void> {
  const counting = async function* <T>(rows: AsyncIterable<T>, what: 'files' | 'objects') {
    for await (const row of rows) {
      counts[what]++;
      yield row;
    }
  };
  const byIndex = new Map(iods.map((listing) => [listing.member.index, listing]));
  const objects = new Map(
    iods.map((listing) => [listing.member.index, counting(listing.objects(), 'objects')]),
  );
  for await (const suspect of audit(counting<FileRow>(mgr.files(), 'files'), objects)) {
    const listing = byIndex.get(suspect.iod);
    const still = listing && (await lookAgain(suspect, mgr, listing));
    if (listing === undefined || still === undefined) continue;
    // An object whose file is gone is removed in the background, and that may take a while.
    if (still.kind === 'orphan' && (await isReaping())) continue;
    const { handle } = still.object;
    if (repair && isHomeless(still)) {
      const isDone = await listing.setAside(handle, `weft fsck: ${suspectText(still)}`);
      if (isDone) counts.setAside++;
      // The quarantine tells of it.
      continue;
    }
    const path = still.kind === 'orphan' ? null : ((await mgr.path(handle)) ?? null);
    const { name } = listing.member;
    findings.add({ kind: still.kind, iod: name, handle, path, what: suspectText(still) });
  }
}

/** The lists were read one after the other, and the files changed meanwhile. */
async function lookAgain(
  { iod, object: { handle } }: Suspect,
  mgr: MgrListing,
  listing: IodListing,
): Promise<Suspect | undefined> {
  const object = await listing.object(handle);
  return object && judge(iod, object, await mgr.file(handle));
}

/** No file has it there: it can be set aside. */
function isHomeless({ kind }: Pick<Finding, 'kind'>): boolean {
  return kind === 'orphan' || kind === 'misplaced';
}

function suspectText({ kind, object, file }: Suspect): string {
  const bytes = displayBytes(object.allocated);
  switch (kind) {
    case 'orphan':
      return `an object of ${bytes} that no file has`;
    case 'misplaced':
      return `an object of ${bytes} on an iod that is not in the layout of its file`;
    case 'too long':
      return `its object has ${object.length} bytes, more than its size of ${file?.size} explains`;
    case 'needless':
      return `an object of ${bytes} of a file whose bytes the mgr has`;
    default:
      return kind satisfies never;
  }
}

async function reviewQuarantine(
  listing: IodListing,
  mgr: MgrListing,
  findings: Findings,
): Promise<void> {
  const { name } = listing.member;
  for await (const { id, handle, reason, length, since } of listing.quarantine()) {
    const when = new Date(since.seconds * 1000).toISOString();
    const what =
      `set aside at ${when}: ${reason} (${length} bytes); ` +
      `--restore ${name}:${id} puts it back, --discard ${name}:${id} deletes it`;
    const path = (await mgr.path(handle)) ?? null;
    findings.add({ kind: 'quarantined', iod: name, handle, path, what });
  }
}

function findingLine({ kind, iod, handle, path, what }: Finding): string {
  const whose = path ?? (handle === null ? '' : `handle ${handle}`);
  return printable(`${kind}: ${[iod, whose].filter((part) => part !== '').join(' ')}: ${what}`);
}

interface Wish {
  readonly iod: string;
  readonly id: string;
  readonly action: 'restore' | 'discard';
}

function parseWishes(given: Arguments): readonly Wish[] {
  return (['restore', 'discard'] as const).flatMap((action) =>
    given.texts(action).map((text) => {
      const colon = text.indexOf(':');
      if (colon > 0) return { iod: text.slice(0, colon), id: text.slice(colon + 1), action };
      throw new UsageError(`--${action} takes IOD:ID, not '${text}'`, 'weft fsck shows both');
    }),
  );
}
