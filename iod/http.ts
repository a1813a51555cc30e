/** What an iod that listens tells a browser, a health check or Prometheus that comes to its port. */
import { servePages } from '../shared/http-pages.ts';
import type { HttpReply, ListenOptions } from '../shared/runtime/runtime.ts';
import type { IodState } from './lifecycle.ts';

export interface HttpSource {
  readonly state: IodState;
  readonly name: string;
  /** Whether it was in touch with the mgr when it tried last. */
  readonly mgr: boolean;
}

/** `/health` is 200 while bytes are served; 503 otherwise. */
export function makeHttp(
  source: () => HttpSource,
  metrics: (() => Promise<HttpReply>) | undefined,
): NonNullable<ListenOptions['http']> {
  return servePages({
    front() {
      const { state, name, mgr } = source();
      const touch = mgr ? 'in touch with the mgr' : 'without the mgr';
      return `weftfs iod ${name}: ${state}, ${touch}.\nPrograms connect to /rpc; \`weft status\` tells more.\n`;
    },
    health() {
      const fields = source();
      return { serves: fields.state === 'SERVING', fields };
    },
    metrics,
  });
}
