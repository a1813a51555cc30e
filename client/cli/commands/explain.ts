/** `weft explain`: the catalogues of error codes, and of what `weft health` may find. */
import { errorCatalogue } from '../../../shared/error-catalogue.ts';
import { healthCatalogue } from '../../../shared/health-catalogue.ts';
import { UsageError } from '../arguments.ts';
import { alignRows } from '../columns.ts';
import type { Run } from '../command.ts';

export const run: Run = async ({ operands: [code] }, { output }) => {
  const all = Object.entries({ ...errorCatalogue, ...healthCatalogue });
  const found = code === undefined ? all : all.filter(([id]) => id === code.toUpperCase());
  if (found.length === 0) {
    throw new UsageError(`there is no error code '${code}'`, 'weft explain lists them all');
  }
  const codes = found.map(([id, entry]) => ({ code: id, ...entry }));
  output.result({ codes }, () => {
    if (code === undefined) return alignRows(codes.map((one) => [one.code, one.what]));
    return codes.flatMap(({ code: id, what, effect, advice }) => [
      `${id}: ${what}`,
      `  effect: ${effect}`,
      `  try:    ${advice}`,
    ]);
  });
};
