/**
 * The mgr's names without network: durable creates a second at several batch sizes beside the same
 * inserts in bare better-sqlite3, look-ups, listings, renames and removals; with the memory used.
 *
 *     node --import=tsx bench/mgr-store.ts [--json] [--files=200000]
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import { ensureRoot } from '../mgr/namespace/root.ts';
import type { NameContext } from '../mgr/ops/name-context.ts';
import { nameHandlers } from '../mgr/ops/name-handlers.ts';
import { openInode } from '../mgr/ops/open-file.ts';
import { MetaView } from '../mgr/store/batch.ts';
import { openSqliteStore } from '../mgr/store/sqlite-store.ts';
import { type ByteString, rootHandle, type SessionId } from '../shared/units.ts';
import { openFlags } from '../shared/wire/mgr-ops.ts';

const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, files: { type: 'string' } },
});
const files = Number(options.files ?? 200_000);
const batches = [1, 16, 128];
const directory = mkdtempSync(join(tmpdir(), 'weft-bench-'));
const now = { seconds: 1_750_000_000, nanoseconds: 123_456_789 };
const anyLayout = { base: undefined, pcount: undefined, ssize: undefined };

interface Result {
  readonly name: string;
  /** A second, unless the name says otherwise. */
  readonly value: number;
}

const results: Result[] = [];

function measure(name: string, count: number, run: () => void): void {
  const start = performance.now();
  run();
  results.push({ name, value: Math.round((count * 1000) / (performance.now() - start)) });
}

function nameOf(at: number): ByteString {
  return `file-${String(at).padStart(8, '0')}.dat` as ByteString;
}

/** The same rows as a create leaves, in as few and plain statements as SQLite lets us. */
function bareCreates(batch: number, count: number): void {
  const database = new Database(join(directory, `bare-${batch}.db`));
  openSqliteStore({ database });
  const columns = Array.from({ length: 23 }, () => '?').join(', ');
  const inode = database.prepare(`INSERT INTO inodes VALUES (${columns})`);
  const dirent = database.prepare('INSERT INTO dirents VALUES (?, ?, ?, ?, ?)');
  const parent = database.prepare(
    'UPDATE inodes SET modified_s = ?, changed_s = ? WHERE handle = 1',
  );
  const times = Array.from({ length: 4 }, () => [now.seconds, now.nanoseconds]).flat();
  const creates = database.transaction((from: number) => {
    for (let at = from; at < Math.min(count, from + batch); at++) {
      inode.run(at + 2, 0, 420, 1, 1000, 1000, 0, 0, ...times, 1, 4, 262_144, 4, null, null, null);
      dirent.run(1, at + 2, Buffer.from(nameOf(at), 'latin1'), at + 2, 0);
    }
    parent.run(now.seconds, now.seconds);
  });
  measure(`bare better-sqlite3 creates, ${batch} a commit`, count, () => {
    for (let at = 0; at < count; at += batch) creates.immediate(at);
  });
  database.close();
}

function makeContext(file: string): { context: NameContext; close: () => void } {
  const store = openSqliteStore({ file });
  const view = new MetaView(store);
  ensureRoot(view, now, 1000, 1000, 0o755);
  view.commit(1);
  const who = { uid: 1000, gid: 1000, groups: [], session: 1 as SessionId };
  const holders = { isHeld: () => false, isWriter: () => false };
  return {
    context: { view, who, now, iodTotal: 4, smallFileBytes: 0, holders },
    close: () => store.close(),
  };
}

function create(context: NameContext, at: number): void {
  openInode(context, {
    at: { directory: rootHandle, path: nameOf(at) },
    flags: openFlags.create | openFlags.write,
    mode: 0o644,
    layout: anyLayout,
    maker: undefined,
    handle: undefined,
    near: undefined,
  });
}

function eachCommitted(
  context: NameContext,
  batch: number,
  count: number,
  run: (at: number) => void,
): void {
  for (let at = 0; at < count; at++) {
    run(at);
    if ((at + 1) % batch === 0) context.view.commit(1);
  }
  context.view.commit(1);
}

function ourCreates(batch: number, count: number): void {
  const { context, close } = makeContext(join(directory, `ours-${batch}.db`));
  measure(`creates, ${batch} a commit`, count, () => {
    eachCommitted(context, batch, count, (at) => create(context, at));
  });
  close();
}

function everythingElse(): void {
  const file = join(directory, 'ours-128.db');
  const { context, close } = makeContext(file);
  const lookup = (at: number): void => {
    nameHandlers.lookup(context, {
      at: { directory: rootHandle, path: nameOf(at) },
      follow: true,
    });
  };
  measure('look-ups from the store', files, () => {
    for (let at = 0; at < files; at++) lookup(at);
  });
  const few = Math.min(files, 10_000);
  measure('look-ups from memory', files * 5, () => {
    for (let at = 0; at < files * 5; at++) lookup(at % few);
  });
  for (const attributes of [false, true]) {
    measure(`entries listed${attributes ? ' with attributes' : ''}`, files, () => {
      for (let after = 0, done = false; !done;) {
        const page = nameHandlers.readDirectory(context, {
          at: { directory: rootHandle, path: '' as ByteString },
          after,
          count: 1024,
          attributes,
        });
        after = page.entries.at(-1)?.cookie ?? after;
        done = page.done;
      }
    });
  }
  measure('renames, 128 a commit', few, () => {
    eachCommitted(context, 128, few, (at) => {
      const [from, to] = [nameOf(at), `${nameOf(at)}.new` as ByteString];
      nameHandlers.rename(context, {
        from: { directory: rootHandle, path: from },
        to: { directory: rootHandle, path: to },
        flags: 0,
      });
    });
  });
  measure('unlinks, 128 a commit', files - few, () => {
    eachCommitted(context, 128, files - few, (at) => {
      const path = nameOf(at + few);
      nameHandlers.unlink(context, { at: { directory: rootHandle, path } });
    });
  });
  close();
  results.push({
    name: 'bytes a file in the store',
    value: Math.round(statSync(file).size / files),
  });
}

try {
  for (const batch of batches) {
    const count = batch === 1 ? Math.ceil(files / 20) : files;
    bareCreates(batch, count);
    ourCreates(batch, count);
  }
  everythingElse();
} finally {
  rmSync(directory, { recursive: true });
}
if (options.json) {
  console.log(JSON.stringify(results));
} else {
  for (const { name, value } of results) {
    console.log(`${name.padEnd(44)} ${value.toLocaleString('en').padStart(12)}`);
  }
  const residentMiB = Math.round(process.memoryUsage().rss / 2 ** 20);
  console.log(`${'resident MiB at the end'.padEnd(44)} ${String(residentMiB).padStart(12)}`);
}
