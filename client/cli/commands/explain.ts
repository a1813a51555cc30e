/** `weft explain`: the catalogue of error codes. */
import { errorCatalogue, type ErrorId } from '../../../shared/error-catalogue.ts';
import { UsageError } from '../arguments.ts';
import { alignRows } from '../columns.ts';
import type { Run } from '../command.ts';

export const run: Run = async ({ operands: [code] }, { output }) => {
  const all = Object.keys(errorCatalogue) as ErrorId[];
  const found = code === undefined ? all : all.filter((id) => id === code.toUpperCase());
  if (found.length === 0) {
    throw new UsageError(`there is no error code '${code}'`, 'weft explain lists them all');
  }
  const codes = found.map((id) => ({ code: id, ...errorCatalogue[id] }));
  output.result({ codes }, () => {
    if (code === undefined) return alignRows(codes.map((one) => [one.code, one.what]));
    return codes.flatMap(({ code: id, what, effect, advice }) => [
      `${id}: ${what}`,
      `  effect: ${effect}`,
      `  try:    ${advice}`,
    ]);
  });
};
