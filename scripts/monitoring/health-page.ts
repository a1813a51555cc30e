/** The text of docs/HEALTH.md. */
import { healthCatalogue, type HealthEntry } from '../../shared/health-catalogue.ts';

const head = `# Health

Made from \`shared/health-catalogue.ts\` by \`scripts/monitoring-doc.ts\`: change that, not this page.

\`weft health\` looks at the whole cluster once and says what is wrong, what that means and what helps. It
asks the mgr and nobody else; when the mgr does not answer within a second it tells of what \`weft up\` has
started in \`--data\` on this host. \`--json\` prints
\`{schema, url, verdict, findings: [{code, severity, subject, detail, what, cause, effect, advice}]}\`.

The exit code is 0 when all is well, 1 when there are warnings only, 2 when there are errors. A wrong command
line is 2 as well: whoever calls it by the exit code never takes a check that could not be made for a
warning. \`weft status\` shows the same cluster as figures, \`weft explain CODE\` one of these codes.`;

/** @returns the whole page */
export function healthPage(): string {
  const entries = Object.entries(healthCatalogue).map(
    ([code, { severity, what, cause, effect, advice }]: readonly [string, HealthEntry]) =>
      [
        `## ${code}`,
        `**${severity}**: ${what}.`,
        [`- Cause: ${cause}.`, `- Effect: ${effect}.`, `- Try: ${advice}.`].join('\n'),
      ].join('\n\n'),
  );
  return `${[head, ...entries].join('\n\n')}\n`;
}
