import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { makeHttp } from '../../../mgr/http.ts';
import { pageFiles } from '../../../shared/runtime/node/page-files.ts';

async function directory(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'weft-page-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

const get = (path: string) => ({ method: 'GET', path });
const source = () => ({ state: 'ACTIVE', cluster: 'c', iods: { serving: 1, total: 2 } }) as const;

test('a page that was built is served, with a policy by which it loads nothing from elsewhere', async (t) => {
  const path = await directory(t);
  await writeFile(join(path, 'index.html'), '<p>');
  await writeFile(join(path, 'app.js'), '1');
  const answer = makeHttp(source, undefined, pageFiles(pathToFileURL(`${path}/`)));
  const page = await answer(get('/'));
  t.like(page, { status: 200, body: '<p>', contentType: 'text/html; charset=utf-8' });
  const policy = page.headers?.['content-security-policy'] ?? '';
  t.true(policy.startsWith("default-src 'none'; script-src 'self' 'wasm-unsafe-eval';"));
  t.false(/unsafe-inline|'unsafe-eval'|https?:|\*/.test(policy));
  t.is((await answer(get('/app.js'))).contentType, 'text/javascript; charset=utf-8');
  t.is((await answer(get('/health'))).status, 200);
});

test('no other file of the directory, or above it, is served', async (t) => {
  const path = await directory(t);
  await writeFile(join(path, 'secret'), 'x');
  const answer = makeHttp(source, undefined, pageFiles(pathToFileURL(`${path}/`)));
  for (const name of ['/secret', '/../secret', '/app.js/../secret', '/constructor', '/__proto__']) {
    t.is((await answer(get(name))).status, 404, name);
  }
});

test('where it was not built the mgr says how to build it', async (t) => {
  const path = await directory(t);
  const { status, body } = await makeHttp(
    source,
    undefined,
    pageFiles(pathToFileURL(`${path}/`)),
  )(get('/'));
  t.is(status, 200);
  t.regex(body, /ACTIVE, 1 of 2 iods serve[^]*npm run build/);
});
