/** How calls fail that nobody answered, who did not, and why; and what ends more than a call. */
import { AssertionError } from 'node:assert/strict';
import { FsError, ProtocolError } from '../errno.ts';
import type { Clock } from '../runtime/runtime.ts';

/** The deadline of a call has passed. */
export function deadlineError(whom: string): FsError {
  return new FsError('ETIMEDOUT', {
    id: 'WEFT_E_DEADLINE',
    what: `no answer from ${whom} before the deadline`,
  });
}

/** Its connection has ended: it may have been carried out or not. */
export function connectionLost(whom: string, reason: FsError): FsError {
  return new FsError('EPIPE', {
    id: reason.weftCode,
    what: `connection to ${whom} lost: ${reason.what ?? reason.message}`,
    cause: reason,
  });
}

/** @throws the error again when it is not the caller's */
export function unsendable(error: unknown): FsError {
  if (!(error instanceof ProtocolError)) throw error;
  return new FsError('EINVAL', { what: error.message, cause: error });
}

/** Ends the process when the error says that we are wrong; any other is the caller's to handle. */
export function endIfOurs(error: unknown, clock: Clock): void {
  if (!(error instanceof AssertionError)) return;
  // Thrown from here it would be taken for a fault of the channel, or of a promise.
  clock.defer(() => {
    throw error;
  });
}

/** For the log: where an error that nobody has foreseen comes from. */
export function traceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
