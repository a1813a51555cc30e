/** `weft ping`: is every daemon there, from here and from the mgr, and where does it take long. */
import { parseClusterUrl } from '../../../shared/cluster-url.ts';
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import { makeNodeRuntime } from '../../../shared/runtime/node.ts';
import { credentialOf } from '../../connect.ts';
import type { Paint } from '../colors.ts';
import { alignRows } from '../columns.ts';
import type { Run } from '../command.ts';
import { describeFailure, shortFailure } from '../failure.ts';
import { type LinkReport, pingAll } from '../ping-phases.ts';
import { printable } from '../shown-text.ts';

export const run: Run = async (_, { output, url, connectOptions }) => {
  if (url === undefined || url === '') {
    throw new FsError('EINVAL', {
      id: 'WEFT_E_BAD_URL',
      what: 'no cluster is named: give a URL, or set WEFT_URL',
    });
  }
  const { host, port, keyFile } = parseClusterUrl(url);
  const runtime = makeNodeRuntime({ log: 'silent' });
  const credential = await credentialOf(runtime, connectOptions, keyFile);
  const links = await pingAll(
    {
      runtime,
      name: connectOptions.name ?? 'weft ping',
      stepMs: connectOptions.callDeadlineMs ?? limits.connectTimeoutMs,
    },
    { host, port, credential, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
  );
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

function linkJson({ from, to, phases, failed, failure }: LinkReport): object {
  return {
    from,
    to,
    phases,
    failed: failed ?? null,
    failure: failure === undefined ? null : describeFailure(failure),
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
