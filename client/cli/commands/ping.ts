/** `weft ping`: is every daemon there, from here and from the mgr, and where does it take long. */
import type { Paint } from '../colors.ts';
import { alignRows } from '../columns.ts';
import type { Run } from '../command.ts';
import { describeFailure, shortFailure } from '../failure.ts';
import { type LinkReport, pingCluster } from '../ping-phases.ts';
import { printable } from '../../observing/shown-text.ts';

export const run: Run = async (_, context) => {
  const { output } = context;
  const links = await pingCluster(context, 'weft ping');
  const ok = links.every(({ failed }) => failed === undefined);
  output.result({ ok, links: links.map(linkJson) }, () => {
    const { paint } = output;
    const sick = links.filter(({ failed }) => failed !== undefined);
    return [
      ...alignRows(links.map((link) => linkCells(link, paint))),
      ok
        ? paint('green', 'all daemons answer')
        : paint('red', `failed: ${sick.map(({ from, to }) => `${from} -> ${to}`).join(', ')}`),
      ...advice(sick),
    ];
  });
  return ok ? undefined : 'failed';
};

function linkJson({ from, to, phases, failed, failure, clock }: LinkReport): object {
  return {
    from,
    to,
    phases,
    failed: failed ?? null,
    failure: failure === undefined ? null : describeFailure(failure),
    clock: clock ?? null,
  };
}

function linkCells({ from, to, phases, failed, failure }: LinkReport, paint: Paint): string[] {
  const words = phases.map(({ name, microseconds }) => `${name} ${milliseconds(microseconds)}`);
  if (failed !== undefined) words.push(paint('red', `${failed}: ${shortFailure(failure)}`));
  const verdict = failed === undefined ? paint('green', 'ok') : paint('red', 'FAILED');
  return [`${from} -> ${printable(to)}`, verdict, words.join(', ')];
}

function advice(sick: readonly LinkReport[]): readonly string[] {
  const texts = new Set(sick.flatMap(({ failure }) => describeFailure(failure).advice ?? []));
  return [...texts].map((text) => `  try:    ${text}`);
}

function milliseconds(microseconds: number): string {
  return `${(microseconds / 1000).toFixed(microseconds < 10_000 ? 2 : 0)} ms`;
}
