/** What Prometheus must be told to watch a cluster. */
import { formatAddress } from '../../../shared/iodtab-address.ts';
import type { Member } from '../../../shared/wire/values.ts';

/** Names of the jobs; alerts and dashboard know them. */
export const jobs = { mgr: 'weftfs-mgr', iod: 'weftfs-iod', mount: 'weftfs-mount' } as const;

interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Lines for `scrape_configs` of prometheus.yml. An iod that has never started has no address yet.
 * @param mounts where their metrics are: no daemon knows it
 */
export function scrapeConfig(
  mgr: Address,
  members: readonly Pick<Member, 'name' | 'host' | 'port'>[],
  mounts: readonly Address[],
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
    ...(mounts.length === 0
      ? ['  # Mounts that have metrics (weft mount --metrics) come here with --mount HOST:PORT.']
      : [
          `  - job_name: ${jobs.mount}`,
          '    static_configs:',
          `      - targets: [${mounts.map((at) => yamlText(formatAddress(at.host, at.port))).join(', ')}]`,
        ]),
  ];
}

/** Text as YAML has it between double quotes: the same as JSON. */
export function yamlText(text: string): string {
  return JSON.stringify(text);
}
