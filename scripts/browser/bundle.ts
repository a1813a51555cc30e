/** What is built for browsers, with stand-ins for what only Node has: the library, the dashboard. */
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const library = fileURLToPath(new URL('../../client/browser/index.ts', import.meta.url));
const dashboard = fileURLToPath(new URL('../../client/dashboard/', import.meta.url));

/** What the library imports of Node, and what it gets in its place. */
const standIns = {
  'node:assert/strict': new URL(
    '../../shared/runtime/browser/stand-ins/assert.ts',
    import.meta.url,
  ),
  'node:crypto': new URL('../../shared/runtime/browser/stand-ins/crypto.ts', import.meta.url),
  'node:fs': new URL('../../shared/runtime/browser/stand-ins/fs.ts', import.meta.url),
} as const;
const buffer = new URL('../../shared/runtime/browser/stand-ins/buffer.ts', import.meta.url);

/** What messages are for is told in PROTOCOL.md; a page need not load it. */
const withoutSentences: Plugin = {
  name: 'without-sentences',
  setup(bundling) {
    bundling.onLoad({ filter: /shared\/wire\/[a-z]+-ops\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const contents = text.replaceAll(/(\bop\(\s*\d+,\s*)'(?:[^'\\\n]|\\.)*'/g, "$1''");
      return { contents, loader: 'ts' };
    });
  },
};

/** Of 2022: the first year of browsers with `await` at the top of a module. */
const options = {
  alias: Object.fromEntries(
    Object.entries(standIns).map(([name, url]) => [name, fileURLToPath(url)]),
  ),
  inject: [fileURLToPath(buffer)],
  bundle: true,
  minify: true,
  platform: 'browser',
  format: 'esm',
  target: 'es2022',
  legalComments: 'none',
  charset: 'utf8',
  plugins: [withoutSentences],
  logLevel: 'silent',
} as const satisfies BuildOptions;

/**
 * Writes the file, and a source map beside it.
 * @returns what the file imports, which shall be nothing
 * @throws Error when something that only Node has is left
 */
export async function bundleForBrowsers(outfile: string): Promise<readonly string[]> {
  const { metafile } = await build({
    ...options,
    entryPoints: [library],
    outfile,
    sourcemap: true,
    metafile: true,
  });
  return Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
}

/**
 * Writes the page that a mgr serves: `index.html`, `app.js` and `app.css`.
 * @throws Error when something that only Node has is left
 */
export async function bundleDashboard(directory: string): Promise<void> {
  await build({
    ...options,
    entryPoints: ['main.tsx', 'style.css'].map((name) => ({
      in: join(dashboard, name),
      out: 'app',
    })),
    outdir: directory,
    jsx: 'automatic',
    jsxImportSource: 'preact',
  });
  await copyFile(join(dashboard, 'index.html'), join(directory, 'index.html'));
}
