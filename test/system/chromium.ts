/** Chromium with a page of ours in it. Tests that need it are skipped by name where there is none. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { type Browser, chromium, type Page } from 'playwright-core';
import { builtProgram } from './daemon.ts';
import { projectPath } from '../../scripts/project.ts';

const program = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));

const example = (name: string): string => projectPath(`examples/browser/${name}`);

const served = {
  '/': { file: () => example('index.html'), type: 'text/html' },
  '/page.js': { file: () => example('page.js'), type: 'text/javascript' },
  '/weftfs.js': { file: () => builtProgram('browser/weftfs.js'), type: 'text/javascript' },
} as const;

/** A test with a browser of its own; one at a time. */
export function browserTest(
  title: string,
  implementation: (t: ExecutionContext, browser: Browser) => Promise<void>,
): void {
  if (program === undefined) {
    test.serial.skip(`${title} [no Chromium]`, () => undefined);
    return;
  }
  test.serial(title, async (t) => {
    // Its sandbox cannot be had as root.
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    const browser = await chromium.launch({ executablePath: program, args });
    t.teardown(() => browser.close());
    await implementation(t, browser);
  });
}

/** Serves the example's page. @returns its origin */
export async function servePage(t: ExecutionContext): Promise<string> {
  const server = createServer((request, response) => {
    const found = Object.entries(served).find(([path]) => path === request.url)?.[1];
    if (found === undefined) {
      response.writeHead(404).end();
      return;
    }
    readFile(found.file()).then(
      (content) => response.writeHead(200, { 'content-type': found.type }).end(content),
      (error: Error) => response.destroy(error),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Opens the page of an origin; what goes wrong in it fails the test. */
export async function openPage(
  t: ExecutionContext,
  browser: Browser,
  origin: string,
): Promise<Page> {
  const page = await browser.newPage();
  page.on('pageerror', (error) => t.fail(`in the page: ${error.stack ?? error.message}`));
  await page.goto(origin);
  return page;
}
