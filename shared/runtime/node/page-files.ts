/** The files of a page that was built, read when a browser asks for them. */
import { readFile } from 'node:fs/promises';
import type { PageFiles } from '../../http-pages.ts';

const files: Readonly<Record<string, { readonly name: string; readonly contentType: string }>> = {
  '/': { name: 'index.html', contentType: 'text/html; charset=utf-8' },
  '/app.js': { name: 'app.js', contentType: 'text/javascript; charset=utf-8' },
  '/app.css': { name: 'app.css', contentType: 'text/css; charset=utf-8' },
};

/** Nothing but what is here, and no page around it; WebSockets to the iods, wherever they are. */
const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "connect-src 'self' ws:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** @param directory where they are, if they have been built */
export function pageFiles(directory: URL): PageFiles {
  return async (path) => {
    const file = files[path];
    if (file === undefined) return undefined;
    try {
      const body = await readFile(new URL(file.name, directory), 'utf8');
      const { contentType } = file;
      const headers = { 'content-security-policy': policy, 'referrer-policy': 'no-referrer' };
      return { status: 200, contentType, body, headers };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  };
}
