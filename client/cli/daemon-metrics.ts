/** The metrics of a daemon, as it writes them for Prometheus. */
import { formatAddress } from '../../shared/iodtab-address.ts';
import { CommandError } from './failure.ts';

const patienceDefaultMs = 5_000;
const advice = 'weft ping tells which step fails; an iod listens when it serves';

/** @throws CommandError ECONNREFUSED, EPROTO */
export async function metricsAt(
  at: { readonly host: string; readonly port: number },
  patienceMs = patienceDefaultMs,
): Promise<readonly string[]> {
  const url = `http://${formatAddress(at.host, at.port)}/metrics`;
  try {
    const reply = await fetch(url, { signal: AbortSignal.timeout(patienceMs) });
    const text = await reply.text();
    if (reply.ok) return text.trimEnd().split('\n');
    throw new CommandError('EPROTO', `${url} says ${reply.status}: ${text.trim()}`, { advice });
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError('ECONNREFUSED', `${url} does not answer`, { advice, cause: error });
  }
}
