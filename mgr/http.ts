/** What the mgr tells a browser or a health check that comes to its port. */
import type { HttpReply, ListenOptions } from '../shared/runtime/runtime.ts';
import type { MgrState } from './lifecycle.ts';

export interface HttpSource {
  readonly state: MgrState;
  readonly cluster: string;
  readonly iods: { readonly serving: number; readonly total: number };
}

/** `/health` is 200 while names are served, whatever the iods do; 503 otherwise. */
export function makeHttp(source: () => HttpSource): NonNullable<ListenOptions['http']> {
  return ({ method, path }) => {
    if (method !== 'GET' && method !== 'HEAD') return text(405, 'only GET is answered here\n');
    if (path === '/health') return health(source());
    if (path === '/') return front(source());
    return text(404, 'not found; there are / and /health\n');
  };
}

function health(source: HttpSource): HttpReply {
  const isServing = source.state === 'RECOVERING' || source.state === 'ACTIVE';
  return {
    status: isServing ? 200 : 503,
    contentType: 'application/json',
    body: `${JSON.stringify(source)}\n`,
  };
}

function front({ state, cluster, iods }: HttpSource): HttpReply {
  return text(
    200,
    `weftfs mgr of cluster ${cluster}: ${state}, ${iods.serving} of ${iods.total} iods serve.\n` +
      'Programs connect to /rpc; `weft status` tells more.\n',
  );
}

function text(status: number, body: string): HttpReply {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}
