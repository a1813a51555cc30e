/** `weft status`: one line a daemon, in every phase and without delay (SCENARIOS 277). */
import type { ClusterStatus } from '../../file-system.ts';
import { type ClusterLook, lookAtCluster } from '../cluster-look.ts';
import type { Paint } from '../colors.ts';
import { alignRows } from '../columns.ts';
import type { Context, Run } from '../command.ts';
import { counted, displayBytes, humanDuration } from '../../../shared/figures.ts';
import type { LonelyIod } from '../lonely-status.ts';
import { memberLine } from '../member-lines.ts';
import { progressText } from '../../observing/recovery-words.ts';
import { printable } from '../../observing/shown-text.ts';

export const run: Run = async (given, context) => {
  const look = await lookAtCluster(given, context);
  return look.status === undefined ? tellWithoutMgr(look, context) : tell(look.status, context);
};

function tell(status: ClusterStatus, { output, url }: Context): Awaited<ReturnType<Run>> {
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

function tellWithoutMgr(
  { error, iods }: Extract<ClusterLook, { readonly status: undefined }>,
  { output, url = '' }: Context,
): Awaited<ReturnType<Run>> {
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
