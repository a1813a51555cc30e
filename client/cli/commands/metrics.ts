/** `weft metrics`: what Prometheus would read now, and what makes it and Grafana watch a cluster. */
import { type Arguments, UsageError } from '../arguments.ts';
import type { Context, Run } from '../command.ts';
import { metricsAt } from '../daemon-metrics.ts';
import { clusterAt } from '../direct-connection.ts';
import { parseMetricsAddress } from '../mount-metrics.ts';
import { alertsFile } from '../monitoring/alerts.ts';
import { dashboardFile } from '../monitoring/dashboard.ts';
import { scrapeConfig } from '../monitoring/scrape-config.ts';

export const run: Run = async (given, context) => {
  const lines = await linesOf(given, context);
  context.output.result({ lines }, () => lines);
};

type Print = (context: Context, given: Arguments) => readonly string[] | Promise<readonly string[]>;

/** By the option that asks for it. */
const prints: Readonly<Record<string, Print>> = {
  printScrapeConfig: async (context, given) => {
    const mounts = given.texts('mount').map(parseMetricsAddress);
    return scrapeConfig(clusterAt(context.url), await membersOf(context), mounts);
  },
  printAlerts: alertsFile,
  printDashboard: () => dashboardFile().trimEnd().split('\n'),
};

async function linesOf(given: Arguments, context: Context): Promise<readonly string[]> {
  const [print, ...more] = Object.keys(prints).flatMap((name) =>
    given.flag(name) ? [prints[name]] : [],
  );
  if (more.length > 0) throw new UsageError('it prints one thing at a time', 'weft help metrics');
  if (print) return print(context, given);
  return metricsAt(await addressOf(given.operands[0] ?? 'mgr', context));
}

async function membersOf({ fileSystem }: Context) {
  const fs = await fileSystem();
  return fs.members();
}

async function addressOf(daemon: string, context: Context) {
  if (daemon === 'mgr') return clusterAt(context.url);
  // Of a mount: names of daemons have no colon.
  if (daemon.includes(':')) return parseMetricsAddress(daemon);
  const members = await membersOf(context);
  const member = members.find(({ name }) => name === daemon);
  if (member !== undefined) return member;
  throw new UsageError(`there is no daemon '${daemon}'`, 'weft status names them all');
}
