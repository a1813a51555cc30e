/** Real trees, real sizes, every name: in through the library and `weft cp`, and out again. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, statfsSync } from 'node:fs';
import { lstat, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import test, { type ExecutionContext } from 'ava';
import type { FileSystem } from '../../client/index.ts';
import { temporaryDirectory, TestCluster, until } from './cluster-fixture.ts';
import { linesOf, linesOfClient } from './lines.ts';
import { pattern, sha256 } from './patterns.ts';
import { projectPath } from '../../scripts/project.ts';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
const TiB = 1024 ** 4;
const minutes = 60_000;

/** `npm run soak` asks for the long form. */
const bigFileBytes = process.env['WEFT_SOAK'] === '1' ? 3 * GiB + 12_345 : 300 * MiB + 12_345;
const freeBytesNeeded = 8 * GiB;

// ---------------------------------------------------------------- trees

interface Listed {
  readonly mode: number;
  readonly modified: string;
  readonly content: string;
}

/** What tools, such as the one that runs this test, write beside the packages meanwhile. */
function isScratch(name: string): boolean {
  return name === '.cache';
}

/** All below a directory, by path: what it is, and the nanoseconds of its time. */
async function listing(root: string, below = ''): Promise<Map<string, Listed>> {
  const found = new Map<string, Listed>();
  for (const name of await readdir(join(root, below))) {
    if (isScratch(name)) continue;
    const path = join(below, name);
    const full = join(root, path);
    const stats = await lstat(full, { bigint: true });
    let content = 'directory';
    if (stats.isSymbolicLink()) content = `link to ${await readlink(full)}`;
    else if (stats.isFile()) content = await hashOf(full);
    found.set(path, { mode: Number(stats.mode), modified: String(stats.mtimeNs), content });
    if (!stats.isDirectory()) continue;
    for (const [inner, listed] of await listing(root, path)) found.set(inner, listed);
  }
  return found;
}

async function hashOf(path: string): Promise<string> {
  const hash: Hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Node sets times through a double of seconds, and cuts that to a microsecond. */
const timeErrorNs = 2000n;

function compare(t: ExecutionContext, found: Map<string, Listed>, wanted: Map<string, Listed>) {
  const missing = [...wanted.keys()].filter((path) => !found.has(path));
  t.deepEqual(missing, []);
  t.is(found.size, wanted.size, 'nothing was added');
  const different = [...wanted].flatMap(([path, want]) => {
    const got = found.get(path);
    if (got === undefined) return [];
    const off = BigInt(got.modified) - BigInt(want.modified);
    const sameTime = off <= timeErrorNs && off >= -timeErrorNs;
    if (got.content === want.content && got.mode === want.mode && sameTime) return [];
    return [{ path, got, want }];
  });
  t.deepEqual(different.slice(0, 10), []);
}

test('a real tree of more than 10 000 files goes in and out with content, modes, times and links', async (t) => {
  t.timeout(10 * minutes);
  const cluster = await TestCluster.start(t, { iods: 4 });
  const out = await temporaryDirectory(t);
  const source = projectPath('node_modules');
  const wanted = await listing(source);
  const names = (await readdir(source)).filter((name) => !isScratch(name));
  const packages = names.map((name) => join(source, name));
  const copies = Math.ceil(10_000 / wanted.size);
  for (let i = 0; i < copies; i++) {
    t.is((await cluster.weft('mkdir', `weft:/copy-${i}`)).code, 0);
    const into = await cluster.weft('cp', '-r', '--json', ...packages, `weft:/copy-${i}`);
    t.is(into.code, 0, into.stderr + into.stdout);
  }
  const { code, stdout, stderr } = await cluster.weft('cp', '-r', '--json', 'weft:/', out);
  t.is(code, 0, stderr + stdout);
  for (let i = 0; i < copies; i++) compare(t, await listing(join(out, `copy-${i}`)), wanted);
  const fsck = await cluster.weft('fsck', '--json');
  t.is(fsck.code, 0, fsck.stdout);
});

test('times are kept to the nanosecond in the file system itself', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 1 });
  const local = await temporaryDirectory(t);
  const path = join(local, 'file');
  await writeFile(path, 'content');
  const { mtimeNs } = await lstat(path, { bigint: true });
  t.is((await cluster.weft('cp', '-p', path, 'weft:/file')).code, 0);
  const fs = await cluster.connect();
  const { seconds, nanoseconds } = (await fs.stat('/file')).modified;
  t.is(BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds), mtimeNs);
});

// ---------------------------------------------------------------- big files

/** In stretches with several on their way; hashed in order. */
async function writeBig(fs: FileSystem, path: string, length: number): Promise<string> {
  const stretch = 8 * MiB;
  const hash = createHash('sha256');
  const file = await fs.open(path, 'w');
  const underWay: Promise<unknown>[] = [];
  for (let at = 0; at < length; at += stretch) {
    const bytes = pattern(7, at, Math.min(stretch, length - at));
    hash.update(bytes);
    underWay.push(file.write(bytes, at));
    if (underWay.length > 3) await underWay.shift();
  }
  await Promise.all(underWay);
  await file.close({ sync: true });
  return hash.digest('hex');
}

async function hashBig(fs: FileSystem, path: string): Promise<{ length: number; hash: string }> {
  const hash = createHash('sha256');
  const file = await fs.open(path);
  // No divisor of the stretches that it was written in.
  const buffer = Buffer.alloc(5 * MiB + 4099);
  let length = 0;
  for (;;) {
    const count = await file.read(buffer, length);
    hash.update(buffer.subarray(0, count));
    length += count;
    if (count < buffer.length) break;
  }
  await file.close();
  return { length, hash: hash.digest('hex') };
}

const { bavail, bsize } = statfsSync(tmpdir());
const hasRoom = bavail * bsize >= freeBytesNeeded;
const bigTitle = `a file of ${bigFileBytes} bytes, none of them a hole, goes in and out with equal hash`;
const bigTest = hasRoom ? test : test.skip;

bigTest(hasRoom ? bigTitle : `${bigTitle} [no ${freeBytesNeeded} bytes free]`, async (t) => {
  t.timeout(20 * minutes);
  const cluster = await TestCluster.start(t, { iods: 3 });
  const fs = await cluster.connect();
  const written = await writeBig(fs, '/big', bigFileBytes);
  t.is((await fs.stat('/big')).size, bigFileBytes);
  const sizes = await Promise.all(cluster.iods.map(({ spec }) => allocatedBytes(spec.dataDir)));
  const taken = sizes.reduce((sum, size) => sum + size, 0);
  t.true(taken >= bigFileBytes, `${taken} bytes are on the disks`);
  const another = await cluster.connect();
  t.deepEqual(await hashBig(another, '/big'), { length: bigFileBytes, hash: written });
});

async function allocatedBytes(directory: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) sum += (await lstat(join(entry.parentPath, entry.name))).blocks * 512;
  }
  return sum;
}

test('data beyond 2^32 and at many terabytes is exact, and what lies between is zeros (SCENARIOS 227, 228)', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 4 });
  const fs = await cluster.connect();
  const places = [0, 2 ** 31 - 3, 2 ** 32 - 5, 2 ** 32 + 200_000, 5 * TiB + 17, 40 * TiB + 1];
  const file = await fs.open('/sparse', 'w+');
  for (const [i, at] of places.entries()) await file.write(pattern(i, 0, 100_000), at);
  await file.sync();
  const end = 40 * TiB + 1 + 100_000;
  t.is((await file.stat()).size, end);
  const another = await (await cluster.connect()).open('/sparse');
  for (const [i, at] of places.entries()) {
    const back = Buffer.alloc(100_000);
    t.is(await another.read(back, at), back.length);
    // The first is overlapped by none, the third by the end of the second one only.
    t.true(back.equals(pattern(i, 0, 100_000)), `at ${at}`);
  }
  const hole = Buffer.alloc(300_000, 1);
  t.is(await another.read(hole, 3 * TiB), hole.length);
  t.true(hole.every((byte) => byte === 0));
  const tail = Buffer.alloc(50);
  t.is(await another.read(tail, end - 20), 20, 'the end is where the last byte is');
  await file.truncate(2 ** 32);
  t.is((await another.stat()).size, 2 ** 32);
  t.is(await another.read(Buffer.alloc(10), 2 ** 32), 0);
  await file.close();
  t.is((await fs.stat('/sparse')).size, 2 ** 32);
});

test('near 2^53, where no disk has room: a write is EFBIG and tells the place, a size is only a number (SCENARIOS 227)', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 2 });
  const fs = await cluster.connect();
  const file = await fs.open('/file', 'w+');
  await file.write(Buffer.from('before'), 0);
  const last = Number.MAX_SAFE_INTEGER - 4;
  const error = await t.throwsAsync<NodeJS.ErrnoException>(file.write(Buffer.from('end!'), last));
  t.is(error.code, 'EFBIG');
  t.regex(error.message, /^EFBIG: write of object \d+ at \d+: .*, write '\/file'$/);
  t.is((await file.stat()).size, 6, 'it left the file as it was');
  await file.truncate(Number.MAX_SAFE_INTEGER);
  t.is((await file.stat()).size, Number.MAX_SAFE_INTEGER);
  const back = Buffer.alloc(9, 1);
  t.is(await file.read(back, last), 4, 'up to the very last byte');
  t.deepEqual(back, Buffer.from('00000000' + '01'.repeat(5), 'hex'));
  await file.truncate(3);
  t.is(await file.read(back, last), 0);
  await file.close();
  t.is((await fs.readFile('/file')).toString(), 'bef');
});

// ---------------------------------------------------------------- names

function below(directory: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(directory), name]);
}

test('a name may hold every byte but the slash and NUL, in the library and through cp (SCENARIOS 264)', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 2 });
  const fs = await cluster.connect();
  const bytes = Array.from({ length: 256 }, (_, byte) => byte).filter((b) => b !== 0 && b !== 0x2f);
  const names = [
    ...bytes.map((byte) => Buffer.from([0x61, byte])),
    Buffer.from(bytes.slice(0, 128)),
    Buffer.from(bytes.slice(128)),
    Buffer.alloc(255, 0xff),
    Buffer.from('ä€𝄞 – so'),
    Buffer.from(' -rf * $HOME "\'`\n'),
  ];
  await fs.mkdir('/in');
  for (const name of names) await fs.writeFile(below('/in/', name), name);
  const listed = (await fs.readdir('/in')).map(({ pathComponent }) =>
    pathComponent.toString('hex'),
  );
  t.deepEqual(listed.toSorted(), names.map((name) => name.toString('hex')).toSorted());

  const out = await temporaryDirectory(t);
  const target = join(out, 'out');
  t.is((await cluster.weft('cp', '-r', 'weft:/in', target)).code, 0);
  t.is((await cluster.weft('cp', '-r', target, 'weft:/again')).code, 0);
  for (const name of names) {
    const local = below(`${target}/`, name);
    t.deepEqual(await readFile(local), name);
    const again = below('/again/', name);
    t.deepEqual(await fs.readFile(again), name);
    await fs.unlink(below('/in/', name));
  }
  t.deepEqual(await fs.readdir('/in'), []);
});

// ---------------------------------------------------------------- many processes

test('four processes write parts of one file and append to another; nothing is lost (SCENARIOS 167, 229)', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 3 });
  const fs = await cluster.connect();
  await fs.writeFile('/parts', '', { layout: { ssize: 16 * 1024 } });
  await fs.writeFile('/log', '');
  const ids = [0, 1, 2, 3];
  const [writers, appenders] = await Promise.all([
    Promise.all(ids.map((id) => cluster.client('disjoint', '/parts', id))),
    Promise.all(ids.map((id) => cluster.client('lines', '/log', id))),
  ]);
  t.deepEqual(await Promise.all(writers.map(({ ended }) => ended)), [0, 0, 0, 0]);
  for (const one of appenders) await until(async () => (await linesOf(one)) > 100);
  const counts = await Promise.all(appenders.map((one) => linesOf(one, 'enough')));
  t.deepEqual(await Promise.all(appenders.map(({ ended }) => ended)), [0, 0, 0, 0]);

  const stretches = Array.from({ length: 200 }, (_, i) => pattern(i, 0, 40_000));
  t.is(sha256(await fs.readFile('/parts')), sha256(...stretches));

  const lines = (await fs.readFile('/log')).toString().split('\n');
  t.is(lines.pop(), '');
  const expected = ids.map((id) => linesOfClient(id, counts[id] ?? 0));
  t.deepEqual(lines.toSorted(), expected.flat().toSorted());
  for (const id of ids) {
    const own = lines.filter((line) => line.startsWith(`${id} `));
    t.deepEqual(own, expected[id], 'each in its own order');
  }
});
