/** Sparse files on a mount, as the programs see them that copy and pack them. */
import { appendFile, open, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { killInTurn } from './cluster-fixture.ts';
import { Mounted, mountTest } from './mounted.ts';
import { pattern } from './patterns.ts';

const MiB = 1024 * 1024;
const sizeBytes = 64 * MiB + 5;
/** Places of 1 MiB each, at whole blocks. */
const places = [3, 17, 18, 40] as const;

async function makeSparse(m: Mounted, name: string): Promise<string> {
  const path = m.path(name);
  const file = await open(path, 'w');
  for (const at of places) await file.write(pattern(at, 0, MiB), 0, MiB, at * MiB);
  await file.truncate(sizeBytes);
  await file.close();
  return path;
}

mountTest('holes take no place, and cp and tar leave them out', async (t) => {
  const m = await Mounted.start(t);
  const two = await Mounted.on(t, m.cluster, 'mnt2');
  await makeSparse(m, 'image');
  const { size, blocks } = await stat(m.path('image'));
  t.deepEqual({ size, blocks }, { size: sizeBytes, blocks: (places.length * MiB) / 512 });
  t.is((await stat(two.path('image'))).blocks, blocks);
  t.is(await m.sh('du -k image | cut -f1'), `${places.length * 1024}\n`);
  await m.sh('cp image copy && cmp image copy');
  t.is((await stat(two.path('copy'))).blocks, blocks);
  await m.sh(
    'tar -Scf all.tar image && mkdir out && tar -C out -xf all.tar && cmp image out/image',
  );
  t.true((await stat(m.path('all.tar'))).size < (places.length + 1) * MiB);
  t.is((await stat(m.path('out/image'))).blocks, blocks);
  await m.sh('cp --sparse=never image full && cmp image full');
  t.is((await stat(two.path('full'))).blocks, Math.ceil(sizeBytes / 512));
});

mountTest(
  'lseek finds data and holes, also of what was only just written',
  async (t) => {
    const m = await Mounted.start(t);
    await makeSparse(m, 'image');
    await writeFile(m.path('small'), 'few bytes');
    await writeFile(m.path('walk.py'), walk);
    const segments = async (name: string): Promise<unknown> =>
      JSON.parse(await m.sh(`python3 walk.py ${name}`));
    t.deepEqual(await segments('image'), [
      [3 * MiB, 4 * MiB],
      [17 * MiB, 19 * MiB],
      [40 * MiB, 41 * MiB],
    ]);
    t.deepEqual(await segments('small'), [[0, 9]]);
    await truncate(m.path('small'), 30_000_000);
    await appendFile(m.path('small'), 'x'.repeat(8192));
    const at = 30_000_000 - (30_000_000 % 4096);
    t.deepEqual(await segments('small'), [
      [0, 4096],
      [at, 30_008_192],
    ]);
  },
  ['python3'],
);

mountTest(
  'what is punched reads as zeros, and where there was a hole nothing is written',
  async (t) => {
    const m = await Mounted.start(t);
    const path = await makeSparse(m, 'image');
    const { blocks } = await stat(path);
    // From a hole over the second of two places to the next hole.
    await m.sh(`fallocate -p -o ${10 * MiB} -l ${7 * MiB} image`);
    await m.sh(`fallocate -p -o ${18 * MiB} -l ${20 * MiB} image`);
    const after = await stat(path);
    t.deepEqual([after.size, after.blocks], [sizeBytes, blocks]);
    const expected = Buffer.alloc(sizeBytes);
    for (const at of places) if (at !== 18) pattern(at, 0, MiB).copy(expected, at * MiB);
    t.true((await readFile(path)).equals(expected));
  },
  ['fallocate'],
);

mountTest('a sparse file is copied whole while daemons die', async (t) => {
  const m = await Mounted.start(t, { iods: 2 });
  await makeSparse(m, 'image');
  let segments = 0;
  const copies = async (): Promise<void> => {
    for (let i = 0; i < 15; i++) {
      await m.sh('rm -f copy && cp image copy && cmp image copy');
      segments += places.length;
    }
    t.is((await stat(m.path('copy'))).blocks, (places.length * MiB) / 512);
  };
  const work = copies();
  await killInTurn(m.cluster, work, () => segments);
  await work;
});

/** Prints where there is data. */
const walk = `
import json, os, sys
f = os.open(sys.argv[1], os.O_RDONLY)
at, found = 0, []
while True:
    try: begin = os.lseek(f, at, os.SEEK_DATA)
    except OSError: break
    at = os.lseek(f, begin, os.SEEK_HOLE)
    found.append([begin, at])
print(json.dumps(found))
`;
