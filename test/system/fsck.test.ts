/** `weft fsck` on a cluster whose iods have what no file has: it tells, sets aside, and puts back. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import { objectPath } from '../../iod/storage/object-paths.ts';
import type { Handle } from '../../shared/units.ts';
import { clusterDirectory, up, weft } from './cli-runner.ts';

interface Report {
  readonly ok: boolean;
  readonly setAside: number;
  readonly findings: readonly {
    readonly kind: string;
    readonly iod: string;
    readonly handle: number;
    readonly path: string | null;
    readonly what: string;
  }[];
}

const kinds = ({ findings }: Report) => findings.map(({ kind, iod }) => `${kind} ${iod}`);

test('what no file has is told, and set aside only when that is asked for; it can be put back', async (t) => {
  const dataDir = await clusterDirectory(t);
  const { url, daemons } = await up(dataDir, '--iods', '2');
  const fsck = async (...words: string[]): Promise<Report> => {
    const { stdout } = await weft({ url }, 'fsck', '--json', ...words);
    return JSON.parse(stdout) as Report;
  };
  await weft({ url, stdin: 'content' }, 'put', '/file', '--iods', '1', '--base', '0');
  const stat = JSON.parse((await weft({ url }, 'stat', '--json', '/file')).stdout) as {
    readonly handle: number;
  };
  const home = daemons.find(({ name }) => name === 'iod1')?.dataDir ?? '';
  const place = async (handle: number): Promise<string> => {
    const path = objectPath(join(home, 'objects'), handle as Handle);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `bytes of ${handle}`);
    return path;
  };
  const [orphan, misplaced] = [await place(77_777), await place(stat.handle)];

  const told = await fsck();
  t.deepEqual(kinds(told), ['misplaced iod1', 'orphan iod1']);
  t.is(told.setAside, 0);
  t.is(await readFile(orphan, 'utf8'), 'bytes of 77777');
  const { stdout, code } = await weft({ url }, 'fsck');
  t.is(code, 1);
  t.regex(stdout, /weft fsck --repair sets aside what no file has/);

  const repaired = await fsck('--repair');
  t.is(repaired.setAside, 2);
  t.deepEqual(kinds(repaired), ['quarantined iod1', 'quarantined iod1']);
  t.regex(repaired.findings[1]?.what ?? '', /weft fsck: an object of .* that no file has/);
  await t.throwsAsync(readFile(orphan), { code: 'ENOENT' });
  await t.throwsAsync(readFile(misplaced), { code: 'ENOENT' });
  t.is((await fsck('--repair')).setAside, 0);

  const idOf = (handle: number): string =>
    /--restore (\S+) /.exec(
      repaired.findings.find((one) => one.handle === handle)?.what ?? '',
    )?.[1] ?? '';
  const restored = await fsck('--restore', idOf(77_777), '--discard', idOf(stat.handle));
  t.deepEqual(kinds(restored), ['orphan iod1']);
  t.is(await readFile(orphan, 'utf8'), 'bytes of 77777');
  await fsck('--repair');
  const last = await fsck();
  const id = /--discard (\S+) /.exec(last.findings[0]?.what ?? '')?.[1] ?? '';
  t.true((await fsck('--discard', id)).ok);
  t.is((await weft({ url }, 'cat', '/file')).stdout, 'content');
});
