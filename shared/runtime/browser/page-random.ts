/** `Random` of a browser: quick fractions, and bytes fit for keys; also where there is no TLS. */
import type { Random } from '../runtime.ts';

export const pageRandom: Random = {
  fraction: () => Math.random(),
  bytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
};
