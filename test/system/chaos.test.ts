/** Real daemons and links between them that are cut or slow for a while, and heal by themselves. */
import test, { type ExecutionContext } from 'ava';
import { limits } from '../../shared/limits.ts';
import { connect } from '../../client/connect.ts';
import type { FileSystem } from '../../client/file-system.ts';
import { clusterDirectory, up, weft } from './cli-runner.ts';

async function cluster(t: ExecutionContext) {
  const dataDir = await clusterDirectory(t);
  const { url } = await up(dataDir, '--iods', '2');
  const fs = await connect(url);
  t.teardown(() => fs.close());
  const chaos = (...words: string[]) => weft({}, 'chaos', ...words, '--data', dataDir);
  return { fs, chaos };
}

/** How the mgr sees an iod, as soon as it sees it so. */
async function until(
  fs: FileSystem,
  iod: number,
  isSo: (state: string) => boolean,
): Promise<string> {
  for (;;) {
    const state = (await fs.status()).members.find(({ index }) => index === iod)?.state ?? '?';
    if (isSo(state)) return state;
  }
}

test.serial(
  'a link that is cut is cut for so long and no longer, and whoever asked for it has long gone',
  async (t) => {
    const { fs, chaos } = await cluster(t);
    const file = await fs.open('/f', 'w+', { layout: { base: 1, pcount: 1 } });
    await file.write(Buffer.from('before'), 0);
    const { code, stdout } = await chaos('cut', 'mgr', 'iod1', '--for', '2', '--json');
    t.is(code, 0);
    t.like(JSON.parse(stdout), { fault: 'cut', iod: 'iod1', seconds: 2 });
    t.not(await until(fs, 1, (state) => state !== 'serving'), 'serving');
    t.is((await fs.status()).members[0]?.state, 'serving');
    // Whoever has it open goes on: the iod has a lease.
    await file.write(Buffer.from('within'), 0);
    t.is(await until(fs, 1, (state) => state === 'serving'), 'serving');
    const into = Buffer.alloc(6);
    await file.read(into, 0);
    t.is(into.toString(), 'within');
    await file.close();
  },
);

test.serial('what goes over a slow link is late for so long, and nothing else', async (t) => {
  const { fs, chaos } = await cluster(t);
  const large = 'x'.repeat(100_000);
  for (const base of [0, 1]) {
    await fs.writeFile(`/f${base}`, large, { layout: { base, pcount: 1 } });
  }
  /** A truncation waits for the iod of its file. */
  const tookMs = async (base: number): Promise<number> => {
    const begun = performance.now();
    await fs.truncate(`/f${base}`, 0);
    return performance.now() - begun;
  };
  const { code, stdout } = await chaos('slow', 'iod1', 'mgr', '--by', '1500', '--for', '9');
  t.is(code, 0);
  t.regex(stdout, /between mgr and iod1: slow by 1500 ms; in 9 s it is well again by itself/);
  const slowMs = await tookMs(1);
  t.true(slowMs >= 1400, `${slowMs} ms`);
  t.is((await fs.status()).members[1]?.state, 'serving');
  for (;;) if ((await tookMs(1)) < slowMs / 2) break;
  t.pass();
});

test.serial('an iod that is slow is so for its clients, for so long; another is not', async (t) => {
  const { fs, chaos } = await cluster(t);
  const files = await Promise.all(
    [0, 1].map((base) => fs.open(`/f${base}`, 'w+', { layout: { base, pcount: 1 } })),
  );
  // Of a file so long the iod has the bytes.
  const far = limits.smallFileBytesMax;
  /** Both at once. */
  const tookMs = (): Promise<number[]> =>
    Promise.all(
      files.map(async (file) => {
        const begun = performance.now();
        await file.write(Buffer.from('x'), far);
        await file.read(Buffer.alloc(1), far);
        return performance.now() - begun;
      }),
    );
  await tookMs();
  const { code, stdout } = await chaos('slow', 'iod1', '--by', '1500', '--for', '9');
  t.is(code, 0);
  t.regex(stdout, /what iod1 answers its clients: late by 1500 ms; in 9 s it is well again/);
  const [fast = NaN, slow = NaN] = await tookMs();
  t.true(slow >= 2 * 1400 && fast < slow, `${fast} ms, ${slow} ms`);
  t.true((await fs.status()).members.every(({ state }) => state === 'serving'));
  for (;;) if (((await tookMs())[1] ?? NaN) < 1400) break;
  await Promise.all(files.map((file) => file.close()));
});

test.serial('a drill on what is no link is refused, and nothing is done', async (t) => {
  const { fs, chaos } = await cluster(t);
  const wrong = [
    ['cut', 'iod0', 'iod1'],
    ['cut', 'mgr'],
    ['cut', 'mgr', 'iod9'],
    ['slow', 'iod9'],
    ['slow', 'mgr', 'iod0', 'iod1'],
    ['cut', 'mgr', 'iod1', '--by', '10'],
    ['slow', 'mgr', 'iod1', '--by', '6000'],
    ['slow', 'mgr', 'iod1', '--for', '0'],
    ['kill', 'iod1', '--by', '10'],
  ];
  for (const words of wrong) t.is((await chaos(...words)).code, 2, words.join(' '));
  t.true((await fs.status()).members.every(({ state }) => state === 'serving'));
});
