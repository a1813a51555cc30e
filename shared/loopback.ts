/** A cluster without a secret is open to everybody who reaches it, so nobody else may. Pure. */
import { hasSecret, type Key } from './auth.ts';
import { FsError } from './errno.ts';

/** Whether only this host can reach the address. A name other than `localhost` may lead anywhere. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** @throws FsError EACCES WEFT_E_OPEN_BIND when `host` is beyond loopback and there is no secret */
export function requireSafeBind(host: string, secret: Key): void {
  if (hasSecret(secret) || isLoopback(host)) return;
  throw new FsError('EACCES', {
    id: 'WEFT_E_OPEN_BIND',
    what: `listening on ${host}, beyond loopback, needs a cluster secret`,
  });
}
