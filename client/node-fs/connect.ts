/** The way in for programs. Our own, the command and the mount, go without this shape. */
import { connect as connectLibrary, type ConnectOptions } from '../connect.ts';
import { type ConnectedFileSystem, nodeShaped } from './node-fs.ts';

/**
 * Connects to a cluster and begins a session with it. What it returns can be given to whatever
 * takes a `node:fs`.
 * @param url as `weft up` prints it; the environment's WEFT_URL by default
 * @throws FsError EINVAL WEFT_E_BAD_URL, ETIMEDOUT WEFT_E_MGR_UNREACHABLE, EKEYREJECTED, EPROTO
 */
export async function connect(
  url?: string,
  options?: ConnectOptions,
): Promise<ConnectedFileSystem> {
  return nodeShaped(await connectLibrary(url, options));
}
