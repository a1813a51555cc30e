/** The text of docs/ERRORS.md. */
import { errorCatalogue, type ErrorId } from '../../shared/error-catalogue.ts';
import { madeBy } from './made-by.ts';

const head = `# Errors

Made from \`shared/error-catalogue.ts\` by \`scripts/errors-doc.ts\`: change that, not this page.

An error has the name and number of an errno of Linux, as in \`ENOENT\`, so that programs which know
those go on working. Where the errno alone hides the cause, it has one of these codes too, as \`weftCode\`, with
what it means (\`effect\`) and what helps (\`advice\`). Its message names the particulars. \`weft explain CODE\`
prints an entry; with \`--json\` a command that fails prints
\`{schema, error: {code, weftCode, message, effect, advice, path}}\`. What is wrong with a cluster as a whole
has codes of its own: [HEALTH.md](HEALTH.md).

Each is made to happen by the test that stands beside it.`;

/** @returns the whole page */
export function errorsPage(): string {
  const ids = Object.keys(errorCatalogue) as ErrorId[];
  const entries = ids.map((id) => {
    const { what, effect, advice } = errorCatalogue[id];
    const test = `[${madeBy[id]}](../test/${madeBy[id]}.test.ts)`;
    return [
      `## ${id}`,
      `${what[0]?.toUpperCase()}${what.slice(1)}.`,
      [`- Effect: ${effect}.`, `- Try: ${advice}.`, `- Test: ${test}.`].join('\n'),
    ].join('\n\n');
  });
  return `${[head, ...entries].join('\n\n')}\n`;
}
