/** `weft status`: one line a daemon, in every phase and without delay (SCENARIOS 277). */
import { resolve } from 'node:path';
import { parseClusterUrl } from '../../../shared/cluster-url.ts';
import { FsError, isFsError } from '../../../shared/errno.ts';
import { makeNodeRuntime } from '../../../shared/runtime/node.ts';
import type { ClusterStatus } from '../../file-system.ts';
import { connect, credentialOf } from '../../connect.ts';
import type { Arguments } from '../arguments.ts';
import type { Paint } from '../colors.ts';
import { alignRows } from '../columns.ts';
import type { Context, Run } from '../command.ts';
import { counted, humanDuration } from '../figures.ts';
import { type LonelyIod, lonelyIods } from '../lonely-status.ts';
import { displayBytes, memberLine } from '../member-lines.ts';
import { progressText } from '../recovery-lines.ts';
import { printable } from '../shown-text.ts';

/** A mgr that does not answer in this time is told as one that cannot be reached. */
const patienceMs = 1_000;

export const run: Run = async (given, context) => {
  try {
    return await tell(await askMgr(context), context);
  } catch (error) {
    if (!isFsError(error) || error.code !== 'ETIMEDOUT') throw error;
    return tellWithoutMgr(error, given, context);
  }
};

async function askMgr({ url, connectOptions }: Context): Promise<ClusterStatus> {
  const fs = await connect(url, { ...connectOptions, deadlineMs: patienceMs });
  try {
    return await fs.status({ deadlineMs: patienceMs });
  } finally {
    await fs.close();
  }
}

async function tell(status: ClusterStatus, { output, url }: Context): ReturnType<Run> {
  const { members, absences, ...mgr } = status;
  const healthy = mgr.state === 'ACTIVE' && members.every(({ state }) => state === 'serving');
  const iods = members.map((member) => {
    const { done, total, leftMs } = absences.find(({ index }) => index === member.index) ?? {};
    return { ...member, done, total, leftMs };
  });
  output.result({ url, healthy, mgr: { ...mgr, recovery: mgr.recovery ?? null }, iods }, () =>
    statusLines(status, output.paint),
  );
  return healthy ? undefined : 'failed';
}

function statusLines({ members, absences, ...mgr }: ClusterStatus, paint: Paint): string[] {
  const figures = [
    counted(mgr.files, 'file'),
    counted(mgr.sessions, 'session'),
    `${mgr.opens} open`,
    ...(mgr.reaping > 0 ? [`${mgr.reaping} being removed`] : []),
    `${displayBytes(mgr.residentBytes)} of memory`,
    `version ${mgr.version}`,
  ];
  const state = paint(mgr.state === 'ACTIVE' ? 'green' : 'yellow', mgr.state.toLowerCase());
  const uptime = `up ${humanDuration(mgr.uptimeMs / 1000)}`;
  return [
    ...alignRows([
      ['mgr', state, uptime, figures.join(', ')],
      ...members.map((member) => memberLine(member, paint)),
    ]),
    ...(mgr.recovery ? [`mgr: ${progressText(mgr.recovery, 'session')}`] : []),
    ...absences.flatMap(({ index, done, total, leftMs }) => {
      const words = [
        ...(total > 0 ? [`has heard of ${done} of at most ${counted(total, 'open')}`] : []),
        ...(leftMs === undefined ? [] : [`its lease ends in ${humanDuration(leftMs / 1000)}`]),
      ];
      const name = printable(members[index]?.name ?? `iod ${index}`);
      return words.length === 0 ? [] : [`${name}: ${words.join(', ')}`];
    }),
  ];
}

async function tellWithoutMgr(
  error: FsError,
  given: Arguments,
  { output, url = '', connectOptions }: Context,
): ReturnType<Run> {
  const runtime = makeNodeRuntime({ log: 'silent' });
  const credential = await credentialOf(runtime, connectOptions, parseClusterUrl(url).keyFile);
  const dataDir = resolve(given.text('data') ?? 'weft-data');
  const iods = await lonelyIods(runtime, { url, dataDir, credential });
  const { what, message, effect, advice } = error;
  const why = what ?? message;
  const mgr = { state: 'UNREACHABLE', why, effect, advice };
  output.result({ url, healthy: false, mgr, iods }, () => [
    ...alignRows([
      ['mgr', output.paint('red', 'unreachable'), printable(why)],
      ...iods.map((iod) => lonelyLine(iod, output.paint)),
    ]),
    ...(effect === undefined ? [] : [`  effect: ${effect}`]),
    ...(advice === undefined ? [] : [`  try:    ${advice}`]),
  ]);
  return 'failed';
}

function lonelyLine({ name, state, pid, recovery }: LonelyIod, paint: Paint): string[] {
  const colour = state === 'SERVING' ? 'green' : state === 'STOPPED' ? 'red' : 'yellow';
  const words =
    state === 'SYNCING'
      ? 'missing: mgr; its port opens when it has learned who has what open'
      : recovery
        ? progressText(recovery, 'open')
        : '';
  const process = pid === null ? [] : [`process ${pid}`];
  const remark = [...process, ...(words === '' ? [] : [words])].join(', ');
  return [printable(name), paint(colour, state.toLowerCase()), remark];
}
