/** Whether the daemons of a cluster are there, agree, and hear each other. Pure. */
import { healthCatalogue } from '../../../shared/health-catalogue.ts';
import { version as ourVersion } from '../../../shared/version.ts';
import { describeFailure, shortFailure } from '../failure.ts';
import { humanDuration } from '../../../shared/figures.ts';
import type { Finding } from '../../../shared/health-findings.ts';
import type { LinkReport } from '../ping-phases.ts';
import type { Check } from './check.ts';

/** Time stamps are compared between hosts by people and programs; nothing of ours depends on it. */
const clockOffMs = 1000;

/** @param itsVersion `undefined`: it does not tell */
export function checkVersion(daemon: string, itsVersion: string | undefined): Check {
  const name = `${daemon}: version`;
  if (itsVersion === undefined) return { name, verdict: 'skipped', detail: 'it does not tell' };
  if (itsVersion === ourVersion) return { name, verdict: 'ok', detail: itsVersion };
  return {
    name,
    verdict: 'warning',
    detail: `${itsVersion}, this command is of ${ourVersion}`,
    advice: 'install the same version on all hosts',
  };
}

/** Every link that was tried, and the clock at its other end. */
export function checkLinks(links: readonly LinkReport[]): readonly Check[] {
  return links.flatMap((link) => {
    const check = linkCheck(link);
    return link.clock === undefined ? [check] : [check, clockCheck(link.to, link.clock)];
  });
}

function linkCheck({ from, to, phases, failed, failure }: LinkReport): Check {
  const name = `${from} -> ${to}`;
  if (failed !== undefined) {
    const { advice } = describeFailure(failure);
    return { name, verdict: 'error', detail: `${failed}: ${shortFailure(failure)}`, advice };
  }
  const { microseconds = 0 } = phases.at(-1) ?? {};
  return { name, verdict: 'ok', detail: `answers in ${humanDuration(microseconds / 1e6)}` };
}

function clockCheck(to: string, { aheadMs, doubtMs }: NonNullable<LinkReport['clock']>): Check {
  const name = `${to}: clock`;
  const off = Math.abs(aheadMs);
  if (off - doubtMs <= clockOffMs) return { name, verdict: 'ok', detail: 'as ours' };
  return {
    name,
    verdict: 'warning',
    detail: `${humanDuration(off / 1000)} ${aheadMs > 0 ? 'ahead of' : 'behind'} ours`,
    advice: 'let both hosts take their time from the network: times of files are wrong otherwise',
  };
}

/** What `weft health` finds. */
export function checkHealth(findings: readonly Finding[]): readonly Check[] {
  if (findings.length === 0) return [{ name: 'health', verdict: 'ok', detail: 'nothing to find' }];
  return findings.map(({ code, subject, detail }) => {
    const { severity, what, advice } = healthCatalogue[code];
    return {
      name: `${subject}: health`,
      verdict: severity,
      detail: `${code}: ${what} (${detail})`,
      advice,
    };
  });
}
