/** What `npm run build` has made for browsers. */
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { builtProgram } from '../../system/daemon.ts';

test('the library for browsers is one file of less than 48 KiB (gzip) that imports nothing', async (t) => {
  const text = await readFile(builtProgram('browser/weftfs.js'), 'utf8');
  t.false(/\bimport\b/.test(text), 'something is imported');
  t.false(/["'`]node:/.test(text), 'a module of Node is named');
  t.false(/\bprocess\.|\bBuffer\.|\bglobal\b/.test(text), 'a global of Node is used');
  t.true(/\bas connect\b/.test(text));
  t.true(gzipSync(text).length < 48 * 1024, `${gzipSync(text).length} bytes`);
});

test('the dashboard, with the library in it, is less than 60 kB (gzip), and needs nothing else', async (t) => {
  const files = ['index.html', 'app.js', 'app.css'].map((name) =>
    builtProgram(`dashboard/${name}`),
  );
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  const bytes = texts.reduce((sum, text) => sum + gzipSync(text).length, 0);
  t.true(bytes < 60_000, `${bytes} bytes`);
  t.log(`${bytes} bytes`);
  const [html = '', script = '', style = ''] = texts;
  t.deepEqual(html.match(/(?<=(?:src|href)=")[^"]+/g), ['data:,', 'app.css', 'app.js']);
  t.false(/["'`]node:/.test(script), 'a module of Node is named');
  t.false(/url\(|@import/.test(style));
});
