/** What is built for browsers, with stand-ins for what only Node has: the library, the dashboard. */
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { limits } from '../../shared/limits.ts';

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

/** A part of a file that need not be loaded, and what stands in its place. */
interface LeftOut {
  readonly of: RegExp;
  readonly part: RegExp;
  readonly by: string;
}

const ofAll: readonly LeftOut[] = [
  // What messages are for is told in PROTOCOL.md.
  {
    of: /shared\/wire\/[a-z]+-ops\.ts$/,
    part: /(\bop\(\s*\d+,\s*)(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")/g,
    by: "$1''",
  },
  // That the limits fit each other holds everywhere once it holds in Node.
  { of: /shared\/limits\.ts$/, part: /^assert\([^;]*\);$/gm, by: '' },
  // A page mounts nothing, shares a host with nobody, and is no daemon.
  {
    of: /shared\/limits\.ts$/,
    part: /^ {2}(?:fuse|lent|late|gathered|unborn|right(?!sPerRecall)|cachedNames|misses|unshared|settle|openUnder|smallFiles|namesPer|handlesPer|shared|lane|store|retention|ticket|read|reclaim|relaxed|counter|inode|synced|fenced|seek|likely|copiedBytesPer|strangers)\w*: .*,$/gm,
    by: '',
  },
  { of: /shared\/wire\/iod-ops\.ts$/, part: /^const sharedObject = [^]*?^\}\);$/m, by: '' },
  {
    of: /shared\/wire\/iod-ops\.ts$/,
    part: /(\bshareReads: op\(\s*\d+,\s*'',\s*read,)[^]*?^ {2}\),$/m,
    by: '$1 empty, empty),',
  },
  // It caches nothing, and nothing is lent to it.
  {
    of: /client\/mgr-session\.ts$/,
    part: /^ {2}(?:async )?(?:cacheWith|#cacheOn|#beginCaching)\([^]*?^ {2}\}$/gm,
    by: '',
  },
  {
    of: /client\/mgr-session\.ts$/,
    part: /^ {4}\/\/ The mgr takes it that who comes back[^]*?this\.#cacheOn\(connection\)\);$/m,
    by: '    await this.#beginSession(connection, false);',
  },
  { of: /client\/file\.ts$/, part: / \|\| this\.#bear\b/, by: '' },
  { of: /client\/file\.ts$/, part: /^.*#bear\b.*;$/gm, by: '' },
  {
    of: /client\/(?:small-file|file|file-reads)\.ts$/,
    part: /^ {2}(?:async settle|born|closeUnborn|share|get isAtIods)\([^]*?^ {2}\}$/gm,
    by: '',
  },
  {
    of: /client\/file\.ts$/,
    part: /settle === undefined[^?]*\? (this\.#askMgr.*)\s+: this\.#small[^;]*/,
    by: '$1',
  },
  {
    of: /client\/file-reads\.ts$/,
    part: /^ {4}const shared = [^;]*;\s+if \(shared[^;]*;$/m,
    by: '',
  },
  { of: /client\/small-file\.ts$/, part: /^function changedMeanwhile[^]*?^\}$/m, by: '' },
  {
    of: /shared\/wire\/lent-ops\.ts$/,
    part: /^const settledAttr = [^]*?^export const lentOps = [^]*?^\};$/m,
    by: 'export const lentOps = { settle: {} };',
  },
  {
    of: /shared\/wire\/mgr-ops\.ts$/,
    part: /^ {2}(?:takeHandles|readWhole): op\([^]*?^ {2}\),$/gm,
    by: '',
  },
  { of: /shared\/wire\/values\.ts$/, part: /^export const noCap[^]*?^\};$/m, by: '' },
  // A page that is careful lets nobody make code of text.
  { of: /shared\/wire\/struct-parts\.ts$/, part: /\bmayCompile\(\) \? compiled : /, by: '' },
];

/**
 * The dashboard names the command that explains a code, and says itself what it shows of it. It logs no
 * messages, and nobody gives it a URL that could be wrong.
 */
const ofDashboard: readonly LeftOut[] = [
  {
    of: /shared\/wire\/printer\.ts$/,
    part: /^ {2}assert\(maxChars > 0\);[^]*?^ {2}return line;$/m,
    by: "  return '';",
  },
  // It shows names and watches; what it copies it opens.
  {
    of: /client\/file-system\.ts$/,
    part: /^ {2}(?:async )?(?:readSmallFile|writeSmallFile|readFile|writeFile|appendFile)\([^]*?^ {2}\}$/gm,
    by: '',
  },
  { of: /shared\/limits\.ts$/, part: /^ {2}copiedBytesMin: .*,$/m, by: '' },
  {
    of: /client\/file\.ts$/,
    part: /^ {2}async (?:seek|copyFrom|truncate|setAttributes)\([^]*?^ {2}\}$/gm,
    by: '',
  },
  { of: /client\/file-writes\.ts$/, part: /^ {2}async copy\([^]*?^ {2}\}$/m, by: '' },
  { of: /shared\/wire\/iod-ops\.ts$/, part: /^ {2}(?:seek|copy): op\([^]*?^ {2}\),$/gm, by: '' },
  {
    of: /shared\/wire\/mgr-ops\.ts$/,
    part: /^ {2}(?:readFile|writeFile): op\([^]*?^ {2}\),$/gm,
    by: '',
  },
  // The shapes of messages are for the printer.
  {
    of: /shared\/wire\/codec\.ts$/,
    part: /^ +shape: \{.*\},$|^ {2}const shape: Shape .*$|^ {2}const shapes = .*$|\bshape, (?=\.\.\.)/gm,
    by: '',
  },
  {
    of: /shared\/error-catalogue\.ts$/,
    part: /^ {4}(?:effect|advice):\s+(?:'[^'\n]*'|"[^"\n]*"),$/gm,
    by: '',
  },
  // What keeps a daemon from its start it says on its own host.
  {
    of: /shared\/error-catalogue\.ts$/,
    part: /(?<=WEFT_E_(?:DATA_(?:LOCKED|ROLE|NEWER|DAMAGED)|IODTAB(?:_CHANGED)?|OPEN_BIND|PORT_TAKEN): \{\s+what: ')[^'\n]*/g,
    by: '',
  },
  {
    of: /shared\/cluster-url\.ts$/,
    part: /\bbadUrl\(\s*(?:`[^`]*`|'[^'\n]*'(?: \+\s*'[^'\n]*')*),?\s*\)/g,
    by: "badUrl('')",
  },
  { of: /shared\/health-catalogue\.ts$/, part: /^ {4}cause:\s+'[^'\n]*',$/gm, by: '' },
];

function without(...parts: readonly LeftOut[]): Plugin {
  return {
    name: 'without-parts',
    setup(bundling) {
      bundling.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const own = parts.filter(({ of }) => of.test(path));
        if (own.length === 0) return undefined;
        const text = await readFile(path, 'utf8');
        const contents = own.reduce((rest, { part, by }) => rest.replace(part, by), text);
        return { contents, loader: 'ts' };
      });
    },
  };
}

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
  logLevel: 'silent',
} as const satisfies BuildOptions;

/**
 * Writes the file, and a source map beside it.
 * @throws Error when something that only Node has is left, or the file imports anything
 */
export async function bundleForBrowsers(outfile: string): Promise<void> {
  const { metafile } = await build({
    ...options,
    plugins: [without(...ofAll)],
    entryPoints: [library],
    outfile,
    sourcemap: true,
    metafile: true,
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  const [left] = imports;
  if (left !== undefined) throw new Error(`${outfile} imports ${left.path}: it must stand alone`);
}

/**
 * Writes the page that a mgr serves: `index.html`, `app.js` and `app.css`.
 * @throws Error when something that only Node has is left
 */
export async function bundleDashboard(directory: string): Promise<void> {
  await build({
    ...options,
    plugins: [without(...ofAll, ...ofDashboard)],
    entryPoints: ['main.tsx', 'style.css'].map((name) => ({
      in: join(dashboard, name),
      out: 'app',
    })),
    outdir: directory,
    // Nobody outside the bundle knows a limit by its name.
    mangleProps: new RegExp(`^(?:${Object.keys(limits).join('|')})$`),
    jsx: 'automatic',
    jsxImportSource: 'preact',
  });
  await copyFile(join(dashboard, 'index.html'), join(directory, 'index.html'));
}
