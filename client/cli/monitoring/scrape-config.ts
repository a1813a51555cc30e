/** What Prometheus must be told to watch a cluster. */
import { formatAddress } from '../../../shared/iodtab-address.ts';
import type { Member } from '../../../shared/wire/values.ts';

/** Names of the jobs; alerts and dashboard know them. */
export const jobs = { mgr: 'weftfs-mgr', iod: 'weftfs-iod' } as const;

/** Lines for `scrape_configs` of prometheus.yml. An iod that has never started has no address yet. */
export function scrapeConfig(
  mgr: { readonly host: string; readonly port: number },
  members: readonly Pick<Member, 'name' | 'host' | 'port'>[],
): string[] {
  const known = members.filter(({ port }) => port !== 0);
  return [
    'scrape_configs:',
    `  - job_name: ${jobs.mgr}`,
    '    static_configs:',
    `      - targets: [${yamlText(formatAddress(mgr.host, mgr.port))}]`,
    `  - job_name: ${jobs.iod}`,
    known.length === 0 ? '    static_configs: []' : '    static_configs:',
    ...known.flatMap(({ name, host, port }) => [
      `      - targets: [${yamlText(formatAddress(host, port))}]`,
      `        labels: { iod: ${yamlText(name)} }`,
    ]),
  ];
}

/** Text as YAML has it between double quotes: the same as JSON. */
export function yamlText(text: string): string {
  return JSON.stringify(text);
}
