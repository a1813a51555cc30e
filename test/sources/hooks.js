/** Sources as JavaScript: esbuild makes it of a module once, and it is kept until the source changes. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);
/** It goes with the packages, and so with the esbuild that has made what is there. */
const kept = fileURLToPath(new URL('node_modules/.cache/weftfs-sources/', root));

/** As `tsconfig.json` has it. */
const options = {
  loader: 'ts',
  format: 'esm',
  target: 'node20',
  sourcemap: 'inline',
  sourcesContent: false,
  tsconfigRaw: { compilerOptions: { target: 'es2023', verbatimModuleSyntax: true } },
};

/** Node asks how a module is loaded. */
export async function load(url, context, next) {
  const isOurs = url.startsWith(root.href) && new URL(url).pathname.endsWith('.ts');
  if (!isOurs) return next(url, context);
  const source = await javascriptOf(fileURLToPath(url));
  return { format: 'module', source, shortCircuit: true };
}

async function javascriptOf(path) {
  const source = readFileSync(path, 'utf8');
  const file = join(kept, `${relative(fileURLToPath(root), path)}.js`);
  const seal = `//${createHash('sha256').update(JSON.stringify(options)).update(source).digest('hex')}`;
  const before = textOf(file);
  if (before.endsWith(seal)) return before;
  const { transform } = await import('esbuild');
  const { code } = await transform(source, { ...options, sourcefile: basename(path) });
  mkdirSync(dirname(file), { recursive: true });
  // Other processes read it meanwhile, or make it too.
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, code + seal);
  renameSync(draft, file);
  return code + seal;
}

/** Empty when it is not there. */
function textOf(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
