/** The library in a page of Chromium, against real daemons. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { userToken } from '../../client/index.ts';
import type * as library from '../../client/browser/index.ts';
import { browserTest, openPage, servePage } from './chromium.ts';
import { TestCluster } from './cluster-fixture.ts';

const MiB = 1024 ** 2;

/** What the functions that are sent to the page find there. */
declare const weftfs: typeof library;
declare const fs: library.PageFileSystem;
declare function postMessage(message: unknown): void;
interface Told {
  readonly data?: unknown;
  readonly message?: string;
}
declare class Worker {
  constructor(url: string, options: { readonly type: 'module' });
  addEventListener(type: 'message' | 'error', listener: (event: Told) => void): void;
}

interface Way {
  readonly url: string;
  readonly key: string;
  readonly user: string;
}

/** A token, as a page shall have it: its user is user 1000. */
async function wayTo(cluster: TestCluster): Promise<Way> {
  const secret = Buffer.from((await readFile(cluster.keyFile, 'latin1')).trim(), 'hex');
  const user = '1000:1000';
  const key = Buffer.from(userToken(secret, user)).toString('hex');
  return { url: `ws://127.0.0.1:${cluster.mgr.spec.port}`, key, user };
}

/** In words: the compiler would put a function of its own round an import that is not of ours. */
async function loadIn(page: Page): Promise<void> {
  await page.evaluate(`import('./weftfs.js').then((module) => { globalThis.weftfs = module; })`);
}

/** Connects in the page itself, not through its form. */
async function connectIn(page: Page, way: Way): Promise<void> {
  await loadIn(page);
  await page.evaluate(async ({ url, ...options }) => {
    Object.assign(globalThis, { fs: await weftfs.connect(url, options) });
  }, way);
}

/** The root belongs to whoever started the cluster: the page gets a directory of its own. */
async function begin(t: Parameters<typeof servePage>[0]) {
  const origin = await servePage(t);
  const cluster = await TestCluster.start(t, { iods: 2, origins: [origin] });
  const node = await cluster.connect();
  await node.mkdir('/pages', { mode: 0o755 });
  await node.chown('/pages', 1000, 1000);
  return { origin, cluster, node, way: await wayTo(cluster) };
}

browserTest(
  'a page writes 3 MiB, and reads what Node writes; names, listings and errors are those of Node',
  async (t, browser) => {
    const { origin, node, way } = await begin(t);
    const page = await openPage(t, browser, origin);
    await connectIn(page, way);
    const same = await page.evaluate(async (bytes) => {
      const content = Uint8Array.from({ length: bytes }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
      await fs.writeFile('/pages/grün', content, { sync: true });
      const back = await fs.readFile('/pages/grün');
      return back.length === bytes && content.every((byte, i) => back[i] === byte);
    }, 3 * MiB);
    t.true(same);
    const here = await node.readFile('/pages/grün');
    t.is(here.length, 3 * MiB);
    t.true(here.every((byte, i) => byte === ((i * 31 + (i >> 8)) & 0xff)));
    const { uid, gid, mode } = await node.stat('/pages/grün');
    t.deepEqual({ uid, gid, mode: mode & 0o777 }, { uid: 1000, gid: 1000, mode: 0o644 });
    await node.writeFile('/pages/from-node', 'word by Node');
    t.deepEqual(
      await page.evaluate(async () => {
        await fs.rename('/pages/from-node', '/pages/renamed');
        const entries = await fs.readdir('/pages');
        const file = await fs.open('/pages/renamed', 'r');
        const part = new Uint8Array(4);
        const count = await file.read(part, 5);
        await file.close();
        const { size } = await fs.stat('/pages/renamed');
        const text = String(await fs.readFile('/pages/renamed'));
        return {
          names: entries.map(({ name }) => name).toSorted(),
          kinds: entries.map((entry) => entry.isFile()),
          part: [count, ...part],
          size,
          text,
        };
      }),
      {
        names: ['grün', 'renamed'],
        kinds: [true, true],
        part: [4, ...Buffer.from('by N')],
        size: 12,
        text: 'word by Node',
      },
    );
    t.deepEqual(
      await page.evaluate(async () => {
        const calls = [fs.stat('/pages/none'), fs.mkdir('/elsewhere')];
        const ends = await Promise.allSettled<unknown>(calls);
        return ends.map((end) => {
          const error: unknown = end.status === 'rejected' && end.reason;
          if (!(error instanceof weftfs.FsError)) return undefined;
          const { code, errno, syscall, path } = error;
          return { code, errno, syscall, path };
        });
      }),
      [
        { code: 'ENOENT', errno: -2, syscall: 'stat', path: '/pages/none' },
        { code: 'EACCES', errno: -13, syscall: 'mkdir', path: '/elsewhere' },
      ],
    );
    await page.evaluate(() => fs.close());
  },
);

browserTest(
  'what a page writes and reads while an iod is killed waits until it is back',
  async (t, browser) => {
    const { origin, cluster, node, way } = await begin(t);
    const page = await openPage(t, browser, origin);
    await connectIn(page, way);
    await page.evaluate(async (bytes) => {
      const file = await fs.open('/pages/file', 'w+');
      await file.write(new Uint8Array(bytes).fill(1), 0);
      Object.assign(globalThis, { file });
    }, 3 * MiB);
    await cluster.iod(0).kill();
    const going = page.evaluate(async (bytes) => {
      const { file } = globalThis as unknown as { readonly file: library.File };
      await file.write(new Uint8Array(bytes).fill(2), 0);
      const back = new Uint8Array(bytes);
      const count = await file.read(back, 0);
      await file.sync();
      await file.close();
      return count === bytes && back.every((byte) => byte === 2);
    }, 3 * MiB);
    await cluster.iod(0).start();
    t.true(await going);
    t.true((await node.readFile('/pages/file')).every((byte) => byte === 2));
  },
);

/** Runs in the worker. */
async function work({ url, ...options }: Way): Promise<void> {
  const files = await weftfs.connect(url, options);
  await files.writeFile('/pages/of-a-worker', 'hello');
  postMessage(await files.readFile('/pages/of-a-worker').then(String));
}

browserTest('a worker connects as a page does', async (t, browser) => {
  const { origin, node, way } = await begin(t);
  const page = await openPage(t, browser, origin);
  const said = await page.evaluate(
    async (source) => {
      const address = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
      const worker = new Worker(address, { type: 'module' });
      return new Promise<unknown>((resolve, reject) => {
        worker.addEventListener('message', (event) => resolve(event.data));
        worker.addEventListener('error', (event) => reject(new Error(event.message)));
      });
    },
    `import * as weftfs from '${origin}/weftfs.js';
    await (${String(work)})(${JSON.stringify(way)})`,
  );
  t.is(said, 'hello');
  t.is(String(await node.readFile('/pages/of-a-worker')), 'hello');
});

browserTest(
  'a page of another origin does not get in, and is told what to look at',
  async (t, browser) => {
    const { way } = await begin(t);
    const page = await openPage(t, browser, await servePage(t));
    await loadIn(page);
    const error = await page.evaluate(async ({ url, ...options }) => {
      const { connect, FsError } = weftfs;
      const connecting = connect(url, { ...options, deadlineMs: 1000 });
      const reason: unknown = await connecting.catch((failure: unknown) => failure);
      return reason instanceof FsError && { id: reason.weftCode, message: reason.message };
    }, way);
    t.truthy(error);
    if (error === false) return;
    t.is(error.id, 'WEFT_E_MGR_UNREACHABLE');
    t.regex(error.message, /--allow-origin/);
  },
);

browserTest(
  'the page of the example stores a file, lists it, and fetches it',
  async (t, browser) => {
    const { origin, cluster, node, way } = await begin(t);
    await node.chmod('/', 0o777);
    const page = await openPage(t, browser, origin);
    await page.fill('[name=url]', way.url);
    await page.fill('[name=user]', way.user);
    await page.fill('[name=key]', way.key);
    await page.click('text=Connect');
    const given = join(cluster.directory, 'letter.txt');
    await writeFile(given, 'Dear reader');
    await page.setInputFiles('[name=file]', given);
    await page.click('text=Store');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.click('#files >> text=letter.txt'),
    ]);
    const fetched = await download.path();
    t.is((await stat(fetched)).size, 11);
    t.is(await readFile(fetched, 'utf8'), 'Dear reader');
    t.is(String(await node.readFile('/letter.txt')), 'Dear reader');
  },
);
