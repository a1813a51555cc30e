/** How calls fail that nobody answered: who did not, and why as far as it is known. */
import { FsError, ProtocolError } from '../errno.ts';

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
