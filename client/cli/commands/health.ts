/** `weft health`: whether all is well; if not, what is wrong, what it means, and what helps. */
import { healthCatalogue } from '../../../shared/health-catalogue.ts';
import { lookOrError } from '../cluster-look.ts';
import type { Context, Run } from '../command.ts';
import { type Finding, type Verdict, verdictOf } from '../../../shared/health-findings.ts';
import { findingsOf } from '../health-findings.ts';
import { printable } from '../../observing/shown-text.ts';

const outcomes = { healthy: undefined, warnings: 'failed', errors: 'broken' } as const;

export const run: Run = async (given, context) => {
  const findings = findingsOf(await lookOrError(given, context));
  const verdict = verdictOf(findings);
  const { output, url } = context;
  const told = findings.map((finding) => ({ ...finding, ...healthCatalogue[finding.code] }));
  output.result({ url, verdict, findings: told }, () => healthLines(verdict, findings, context));
  return outcomes[verdict];
};

function healthLines(
  verdict: Verdict,
  findings: readonly Finding[],
  { output: { paint } }: Context,
): string[] {
  if (verdict === 'healthy') return [paint('green', 'healthy')];
  return findings.flatMap(({ code, subject, detail }) => {
    const { severity, what, cause, effect, advice } = healthCatalogue[code];
    const painted = paint(severity === 'error' ? 'red' : 'yellow', severity);
    return [
      `${painted}: ${code}: ${printable(subject)}: ${what} (${printable(detail)})`,
      `  cause:  ${cause}`,
      `  effect: ${effect}`,
      `  try:    ${advice}`,
    ];
  });
}
