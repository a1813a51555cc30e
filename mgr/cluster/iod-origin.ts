import { FsError } from '../../shared/errno.ts';
import { isLoopback } from '../../shared/loopback.ts';
import type { Net } from '../../shared/runtime/runtime.ts';
import type { MemberRow } from '../store/rows.ts';

/**
 * The key alone makes no member: an iod must also come from the host that its line of the iodtab
 * names (DESIGN 4). Whoever is on this host counts as being where the line says.
 * @param peerHost as `Channel.peerHost`
 * @throws FsError EPERM, WEFT_E_NOT_MEMBER; ENOTFOUND, EAGAIN when the name cannot be resolved
 */
export async function requireListedHost(
  net: Pick<Net, 'resolve'>,
  { name, host }: MemberRow,
  peerHost: string,
): Promise<void> {
  if (peerHost === 'local' || isLoopback(peerHost) || peerHost === host) return;
  const addresses = await net.resolve(host);
  if (addresses.includes(peerHost)) return;
  throw new FsError('EPERM', {
    id: 'WEFT_E_NOT_MEMBER',
    what: `${name} connects from ${peerHost}, the iodtab has it on ${host} (${addresses.join(', ')})`,
  });
}
