/**
 * What a daemon tells whoever comes to its port with plain HTTP: a browser, a health check,
 * Prometheus. Figures and states only: no name of a file, no key, no address of a client, for
 * nobody proves anything here.
 */
import type { HttpReply, ListenOptions } from './runtime/runtime.ts';

export interface HttpPages {
  /** For people, lines of text. */
  readonly front: () => string;
  /** For a program that keeps it running: whether it serves, and what else is to be known. */
  readonly health: () => { readonly serves: boolean; readonly fields: object };
  /** `undefined`: this process has none. */
  readonly metrics: (() => Promise<HttpReply>) | undefined;
  /** Of a page for browsers that stands in front: its files, by path; `undefined`: no such file. */
  readonly files?: PageFiles | undefined;
}

export type PageFiles = (path: string) => Promise<HttpReply | undefined>;

/** `/health` is 200 while the daemon serves, 503 otherwise. */
export function servePages(pages: HttpPages): NonNullable<ListenOptions['http']> {
  const { front, health, metrics, files } = pages;
  return async ({ method, path }) => {
    if (method !== 'GET' && method !== 'HEAD') return text(405, 'only GET is answered here\n');
    const file = await files?.(path);
    if (file !== undefined) return file;
    if (path === '/') return text(200, front());
    if (path === '/metrics' && metrics !== undefined) return metrics();
    if (path !== '/health') return text(404, 'not found; there are /, /health and /metrics\n');
    const { serves, fields } = health();
    const body = `${JSON.stringify(fields)}\n`;
    return { status: serves ? 200 : 503, contentType: 'application/json', body };
  };
}

function text(status: number, body: string): HttpReply {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}
