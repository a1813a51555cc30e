/** The dashboard in Chromium, served by a real mgr. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Browser, Page } from 'playwright-core';
import { limits } from '../../shared/limits.ts';
import { browserTest, openPage } from './chromium.ts';
import { TestCluster } from './cluster-fixture.ts';
import { projectPath } from '../../scripts/project.ts';

const MiB = 1024 ** 2;
const results = projectPath('test/results/dashboard/');

/** As somebody follows it who has asked for it in a shell. */
async function linkOf(cluster: TestCluster, ...options: readonly string[]): Promise<string> {
  const { stdout } = await cluster.weft('web', '--json', ...options);
  return (JSON.parse(stdout) as { readonly link: string }).link;
}

async function enter(
  t: ExecutionContext,
  browser: Browser,
  cluster: TestCluster,
  ...options: readonly string[]
): Promise<{ readonly page: Page; readonly foreign: readonly string[] }> {
  const page = await openPage(t, browser, await linkOf(cluster, ...options));
  const foreign: string[] = [];
  page.on('request', (request) => {
    if (new URL(request.url()).hostname !== '127.0.0.1') foreign.push(request.url());
  });
  await page.getByRole('heading', { name: 'Daemons' }).waitFor();
  return { page, foreign };
}

/** Kept for whoever wants to see what it looked like. */
async function show(page: Page, name: string): Promise<void> {
  await mkdir(results, { recursive: true });
  const picture = (kind: string) =>
    page.screenshot({ path: `${results}${name}-${kind}.png`, fullPage: true });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await picture(colorScheme);
  }
  const wide = page.viewportSize() ?? { width: 1280, height: 720 };
  await page.setViewportSize({ width: 390, height: 844 });
  await picture('narrow');
  const excess = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
  if (excess !== 0) throw new Error(`${name}: a narrow page is ${String(excess)} px too wide`);
  await page.setViewportSize(wide);
}

async function go(page: Page, view: string): Promise<void> {
  await page.getByRole('link', { name: view, exact: true }).click();
}

browserTest(
  'a link lets one in once, leaves nothing in the address, and shows the cluster at a glance',
  async (t, browser) => {
    const cluster = await TestCluster.start(t, { iods: 3 });
    const link = await linkOf(cluster);
    const page = await openPage(t, browser, link);
    await page.getByRole('row', { name: /iod2 serving/ }).waitFor();
    t.is(page.url(), link.replace(/#.*/, ''));
    t.is(await page.getByText('Nothing is wrong.').count(), 1);
    t.is(await page.getByText('read only').count(), 1);
    await show(page, 'overview');
    const second = await openPage(t, browser, link);
    await second
      .getByRole('alert')
      .getByText(/used before, or its minute is over/)
      .waitFor();
    await show(second, 'refused');
    const stranger = await openPage(t, browser, link.replace(/#.*/, ''));
    await stranger.getByRole('alert').waitFor();
  },
);

browserTest(
  'an iod that is killed is seen at once, with what it means; its recovery and report are shown',
  async (t, browser) => {
    const cluster = await TestCluster.start(t, { iods: 3 });
    const fs = await cluster.connect();
    await fs.writeFile('/file', new Uint8Array(3 * MiB));
    const { page, foreign } = await enter(t, browser, cluster);
    await cluster.iod(1).kill();
    await page.getByRole('row', { name: /iod1 absent/ }).waitFor();
    await page.getByText(/an iod is away/).waitFor();
    await page.getByRole('heading', { name: 'Away or recovering' }).waitFor();
    await show(page, 'iod-away');
    await go(page, 'Files');
    await page.getByRole('button', { name: 'Map of file' }).click();
    await page.getByText(/are away: who reads them waits/).waitFor();
    await show(page, 'stripes-away');
    await cluster.iod(1).start();
    await page.getByText('All of it can be read.').waitFor();
    await show(page, 'stripes');
    await page.getByText(/^3\.0MiB in stripes/).waitFor();
    await fs.writeFile('/file', new Uint8Array(5 * MiB));
    await page.getByText(/^5\.0MiB in stripes/).waitFor();
    await go(page, 'Recoveries');
    await page
      .getByRole('log')
      .getByText(/iod1 is serving: start 2/)
      .waitFor();
    await page.getByRole('button', { name: /^iod1-2$/ }).click();
    await page.getByRole('list', { name: 'phases' }).waitFor();
    await show(page, 'recovery');
    await go(page, 'Overview');
    await cluster.mgr.kill();
    await page.getByText('mgr unreachable').waitFor();
    await show(page, 'mgr-away');
    await cluster.mgr.start();
    await page.getByRole('row', { name: /mgr active/ }).waitFor();
    t.deepEqual(foreign, []);
  },
);

browserTest('a page whose session has ended says so, and how to come back', async (t, browser) => {
  const cluster = await TestCluster.start(t, { iods: 1, sessionLeaseMs: 1000 });
  const fs = await cluster.connect();
  const { page } = await enter(t, browser, cluster);
  // As one that its browser has put to sleep.
  await page.evaluate((sleepMs) => {
    for (const end = performance.now() + sleepMs; performance.now() < end;);
  }, limits.heartbeatSilenceMs + 5000);
  await page.getByRole('alert').getByText('has ended at the mgr').waitFor();
  t.is((await fs.status()).sessions, 1);
});

browserTest('the charts follow what is written and read', async (t, browser) => {
  const cluster = await TestCluster.start(t, { iods: 2 });
  const fs = await cluster.connect();
  const { page, foreign } = await enter(t, browser, cluster);
  await go(page, 'Activity');
  const chart = page.getByRole('img', { name: /^Throughput of all iods/ });
  await fs.writeFile('/file', new Uint8Array(16 * MiB));
  await fs.readFile('/file');
  const moved = page.getByRole('img', {
    name: /Now: read [\d.]+ [kMG]B\/s, written [\d.]+ [kMG]B\/s$/,
  });
  await moved.waitFor();
  t.true(await chart.isVisible());
  for (let i = 0; i < 8; i++) {
    await fs.writeFile('/file', new Uint8Array((i + 1) * MiB));
    await page.waitForResponse(() => true, { timeout: 900 }).catch(() => undefined);
  }
  await show(page, 'activity');
  t.deepEqual(foreign, []);
});

browserTest('whoever reads only is offered no change, and is refused one', async (t, browser) => {
  const cluster = await TestCluster.start(t, { iods: 2 });
  const fs = await cluster.connect();
  await fs.mkdir('/here');
  const { page } = await enter(t, browser, cluster);
  await go(page, 'Files');
  await page.getByRole('button', { name: 'here/' }).waitFor();
  t.is(await page.getByRole('button', { name: 'Make' }).count(), 0);
  await dropOn(page, 'notes.txt', 'hello');
  await page.getByRole('button', { name: 'here/' }).click();
  await page.getByText('0 entries').waitFor();
  t.deepEqual(
    (await fs.readdir('/')).map(({ name }) => name),
    ['here'],
  );
});

browserTest(
  'files go in by drag and drop and by choice, and out again; each with its command',
  async (t, browser) => {
    const cluster = await TestCluster.start(t, { iods: 2 });
    const fs = await cluster.connect();
    const { page } = await enter(t, browser, cluster, '--write');
    await go(page, 'Files');
    await page.getByLabel('New directory').fill('in box');
    await page.getByText("weft mkdir '/in box'").waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'in box/' }).click();
    await dropOn(page, 'notes.txt', 'hello');
    await page.getByText('upload notes.txt: done').waitFor();
    await page.getByText("weft cp ./notes.txt 'weft:/in box/notes.txt'").waitFor();
    t.is(String(await fs.readFile('/in box/notes.txt')), 'hello');
    // What is there is not replaced by itself.
    await dropOn(page, 'notes.txt', 'other words');
    await page.getByRole('button', { name: 'Replace it' }).click();
    await page.getByRole('row', { name: /notes.txt 11 B/ }).waitFor();
    t.is(String(await fs.readFile('/in box/notes.txt')), 'other words');
    const big = Buffer.alloc(9 * MiB, 'weft');
    const file = join(cluster.directory, 'big');
    await writeFile(file, big);
    await page.locator('input[type=file]').setInputFiles(file);
    await page.getByText('upload big: done').waitFor();
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download big' }).click();
    const download = await coming;
    // To compare them value by value would take most of a minute.
    t.true(big.equals(await readFile(await download.path())));
    t.is(download.suggestedFilename(), 'big');
    await show(page, 'transfers');
  },
);

browserTest('a directory of 10 000 files is listed, filtered, and paged', async (t, browser) => {
  const cluster = await TestCluster.start(t, { iods: 2 });
  const fs = await cluster.connect();
  await fs.mkdir('/many');
  const names = Array.from({ length: 10_000 }, (_, i) => `/many/file-${i}`);
  for (let i = 0; i < names.length; i += 200) {
    await Promise.all(names.slice(i, i + 200).map((name) => fs.writeFile(name, '')));
  }
  const { page } = await enter(t, browser, cluster);
  await go(page, 'Files');
  await page.getByRole('button', { name: 'many/' }).click();
  await page.getByText('10000 entries').waitFor();
  t.is(await page.getByRole('row').count(), 1001);
  await page.getByRole('button', { name: 'Show 1000 more of 9000' }).click();
  await page.getByRole('row', { name: /^file-1999 / }).waitFor();
  await page.getByLabel('Filter').fill('file-9999');
  await page.getByRole('row', { name: /^file-9999 / }).waitFor();
  t.is(await page.getByRole('row').count(), 2);
  await show(page, 'many');
});

browserTest('all of it is reached by the keyboard, and seen where it is', async (t, browser) => {
  const cluster = await TestCluster.start(t, { iods: 2 });
  const fs = await cluster.connect();
  await fs.writeFile('/file', 'x');
  const open = await fs.open('/file', 'r');
  const { page } = await enter(t, browser, cluster);
  const focused = (): Promise<string> =>
    page.locator(':focus').evaluate((one: { readonly textContent: string }) => one.textContent);
  const tabTo = async (name: string): Promise<void> => {
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press('Tab');
      if ((await focused()) === name) return;
    }
    t.fail(`${name} is not reached`);
  };
  await tabTo('Skip to the view');
  await page.keyboard.press('Enter');
  t.is(await page.locator(':focus').getAttribute('id'), 'main');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Shift+Tab');
  t.is(await focused(), 'Clients');
  await show(page, 'focus');
  await page.keyboard.press('Enter');
  await page.getByRole('row', { name: /dashboard \(this page\)/ }).waitFor();
  await page.getByRole('row', { name: /^\/file 1 0/ }).waitFor();
  await show(page, 'clients');
  await page.goBack();
  await page.getByRole('heading', { name: 'Daemons' }).waitFor();
  await go(page, 'Files');
  await tabTo('Map');
  await page.keyboard.press('Enter');
  await page.getByText('All of it can be read.').waitFor();
  await open.close();
});

/** As whoever lets a file go over the page. */
async function dropOn(page: Page, name: string, content: string): Promise<void> {
  const transfer = await page.evaluateHandle(
    ([name, content]) => {
      const { DataTransfer, File } = globalThis as unknown as {
        readonly DataTransfer: new () => { readonly items: { add(file: object): void } };
        readonly File: new (parts: readonly string[], name: string) => object;
      };
      const transfer = new DataTransfer();
      transfer.items.add(new File([content], name));
      return transfer;
    },
    [name, content] as const,
  );
  await page.locator('.files').dispatchEvent('drop', { dataTransfer: transfer });
}
