/** The first scrape loads the library that writes it: a daemon that nobody watches never does. */
import type { Expose } from '../../metrics/readings.ts';

export function lazyExposition(): Expose {
  let loaded: Promise<Expose> | undefined;
  return async (readings) => {
    loaded ??= import('./exposition.ts').then(({ makeExposition }) => makeExposition());
    const expose = await loaded;
    return expose(readings);
  };
}
