/** What the library has asked for, and how long it took, for whoever watches the program that has it. */
import { RequestMeter } from '../shared/metrics/request-meter.ts';
import { lazyExposition } from '../shared/runtime/node/lazy-exposition.ts';
import { clientReadings } from './client-readings.ts';
import type { FileSystem } from './file-system.ts';

/**
 * From now on the calls of the file system to its daemons are counted.
 * @returns what Prometheus reads, at each moment anew: answer `/metrics` with it
 */
export function countCalls(
  fs: FileSystem,
): () => Promise<{ readonly contentType: string; readonly body: string }> {
  const meter = new RequestMeter(fs.session.runtime.clock);
  fs.session.meter = meter;
  const expose = lazyExposition();
  return () => expose(clientReadings(fs, meter, 'client'));
}
