import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { bundleDashboard, bundleForBrowsers } from '../../../scripts/browser/bundle.ts';

test('the library for browsers is one file of less than 48 KiB (gzip) that imports nothing', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'weft-bundle-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'weftfs.js');
  t.deepEqual(await bundleForBrowsers(file), []);
  const text = await readFile(file, 'utf8');
  t.false(/["'`]node:/.test(text), 'a module of Node is named');
  t.false(/\bprocess\.|\bBuffer\.|\bglobal\b/.test(text), 'a global of Node is used');
  t.true(/\bas connect\b/.test(text));
  t.true(gzipSync(text).length < 48 * 1024, `${gzipSync(text).length} bytes`);
});

test('the dashboard, with the library in it, is less than 60 kB (gzip), and needs nothing else', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'weft-bundle-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  await bundleDashboard(directory);
  const names = ['index.html', 'app.js', 'app.css'];
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
  const bytes = texts.reduce((sum, text) => sum + gzipSync(text).length, 0);
  t.true(bytes < 60_000, `${bytes} bytes`);
  t.log(`${bytes} bytes`);
  const [html = '', script = '', style = ''] = texts;
  t.deepEqual(html.match(/(?<=(?:src|href)=")[^"]+/g), ['data:,', 'app.css', 'app.js']);
  t.false(/["'`]node:/.test(script), 'a module of Node is named');
  t.false(/url\(|@import/.test(style));
});
