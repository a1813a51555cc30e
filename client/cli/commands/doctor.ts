/** `weft doctor`: is this host fit for weftfs, and does the cluster work from here. */
import { resolve } from 'node:path';
import { isFsError, toFsError } from '../../../shared/errno.ts';
import { makeNodeRuntime } from '../../../shared/runtime/node.ts';
import { version } from '../../../shared/version.ts';
import { connect } from '../../connect.ts';
import { alignRows } from '../columns.ts';
import { type ClusterLook, lookOrError } from '../cluster-look.ts';
import type { Color } from '../colors.ts';
import type { Arguments } from '../arguments.ts';
import type { Context, Run } from '../command.ts';
import { metricsAt } from '../daemon-metrics.ts';
import { type Check, type CheckVerdict, worstOf } from '../doctor/check.ts';
import { checkHealth, checkLinks, checkVersion } from '../doctor/cluster-checks.ts';
import { checkHost, checkPorts } from '../doctor/host-checks.ts';
import { lookAtHost } from '../doctor/host-facts.ts';
import { lookAtPorts } from '../doctor/port-facts.ts';
import { writeBundle } from '../doctor/bundle.ts';
import { findingsOf } from '../health-findings.ts';
import { readState } from '../local-cluster/cluster-state.ts';
import { pingCluster } from '../ping-phases.ts';
import { labelOf, parseSamples } from '../top/samples.ts';
import { allReports } from '../../observing/recovery-reports.ts';
import { printable } from '../../observing/shown-text.ts';

/** A daemon that does not tell something in this time is told as one that does not. */
const patienceMs = 1_500;

const outcomes = { ok: undefined, skipped: undefined, warning: 'failed', error: 'broken' } as const;
const colors: Readonly<Record<CheckVerdict, Color>> = {
  ok: 'green',
  skipped: 'dim',
  warning: 'yellow',
  error: 'red',
};

export const run: Run = async (given, context) => {
  const { output } = context;
  const dataDir = resolve(given.text('data') ?? 'weft-data');
  const state = await readState(makeNodeRuntime({ log: 'silent' }).disk, dataDir);
  const url = context.url === undefined || context.url === '' ? state?.url : context.url;
  const [facts, ports] = await Promise.all([lookAtHost(dataDir), lookAtPorts(state)]);
  const cluster = url === undefined ? undefined : await lookFrom(given, { ...context, url });
  const checks = [...checkHost(facts), checkPorts(ports), ...(cluster?.checks ?? [noCluster])];
  const verdict = worstOf(checks);
  const bundle = given.text('bundle');
  const bundled =
    bundle === undefined
      ? undefined
      : await writeBundle(resolve(bundle), {
          documents: {
            doctor: { version, checks },
            host: { ...facts, ports },
            cluster: cluster?.look ?? null,
            recoveries: url === undefined ? null : await recoveriesOf(url, context),
            daemons: state?.daemons ?? null,
          },
          state,
        });
  output.result({ verdict, checks, bundle: bundle ?? null, bundled: bundled ?? null }, () => [
    ...alignRows(
      checks.map((check) => [
        output.paint(colors[check.verdict], check.verdict),
        printable(check.name),
        printable(check.detail),
      ]),
    ),
    ...checks.flatMap(({ name, advice }) =>
      advice === undefined ? [] : [`  try:    ${printable(name)}: ${advice}`],
    ),
    ...(bundled ? [`${printable(bundle ?? '')}: ${bundled.join(', ')}; keys are left out`] : []),
  ]);
  return outcomes[verdict];
};

const noCluster: Check = {
  name: 'cluster',
  verdict: 'skipped',
  detail: 'none is named, and none was started here',
  advice: 'set WEFT_URL, or weft up',
};

interface Looked {
  readonly checks: readonly Check[];
  /** As the mgr tells it, or why it does not. */
  readonly look: unknown;
}

async function lookFrom(given: Arguments, context: Context): Promise<Looked> {
  const look = await lookOrError(given, context);
  const health = checkHealth(findingsOf(look));
  if (isFsError(look)) return { checks: health, look: look.message };
  const [pings, versions] = await Promise.all([
    pingCluster(context, 'weft doctor'),
    checkVersions(look),
  ]);
  return { checks: [...health, ...versions, ...checkLinks(pings)], look };
}

async function checkVersions({ status }: ClusterLook): Promise<readonly Check[]> {
  if (status === undefined) return [];
  const serving = status.members.filter(({ state }) => state === 'serving');
  const ofIods = serving.map(async (member) => checkVersion(member.name, await versionAt(member)));
  return [checkVersion('mgr', status.version), ...(await Promise.all(ofIods))];
}

/** As its metrics tell it. */
async function versionAt(at: Parameters<typeof metricsAt>[0]): Promise<string | undefined> {
  try {
    const samples = parseSamples(await metricsAt(at, patienceMs));
    return labelOf(samples, 'weftfs_build_info', 'version');
  } catch {
    return undefined; // Why it does not answer is told where it is pinged.
  }
}

/** Or why they cannot be had: a bundle is made of what there is. */
async function recoveriesOf(url: string, { connectOptions }: Context): Promise<unknown> {
  try {
    await using fs = await connect(url, { deadlineMs: patienceMs, ...connectOptions });
    return await allReports(fs);
  } catch (error) {
    return { why: toFsError(error).message };
  }
}
