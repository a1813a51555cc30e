/** What the mgr tells a browser, a health check or Prometheus that comes to its port. */
import { type PageFiles, servePages } from '../shared/http-pages.ts';
import type { HttpReply, ListenOptions } from '../shared/runtime/runtime.ts';
import type { MgrState } from './lifecycle.ts';

export interface HttpSource {
  readonly state: MgrState;
  readonly cluster: string;
  readonly iods: { readonly serving: number; readonly total: number };
}

/** `/health` is 200 while names are served, whatever the iods do; 503 otherwise. */
export function makeHttp(
  source: () => HttpSource,
  metrics: (() => Promise<HttpReply>) | undefined,
  dashboard: PageFiles | undefined,
): NonNullable<ListenOptions['http']> {
  return servePages({
    front() {
      const { state, cluster, iods } = source();
      return (
        `weftfs mgr of cluster ${cluster}: ${state}, ${iods.serving} of ${iods.total} iods serve.\n` +
        'Programs connect to /rpc; `weft status` tells more.\n' +
        (dashboard ? 'Its dashboard is not built: npm run build.\n' : '')
      );
    },
    health() {
      const fields = source();
      return { serves: fields.state === 'RECOVERING' || fields.state === 'ACTIVE', fields };
    },
    metrics,
    files: dashboard,
  });
}
