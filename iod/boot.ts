/**
 * BOOT: the data directory is locked and checked, and this start gets a number that is stored
 * before it is used (DESIGN 4).
 */
import { join } from 'node:path';
import { type IodIdentity, openDataDirectory } from '../shared/data-directory.ts';
import { FsError } from '../shared/errno.ts';
import type { DiskLock, Runtime } from '../shared/runtime/runtime.ts';
import { objectsDirectory } from './storage/file-object-store.ts';

export interface Home {
  readonly lock: DiskLock;
  readonly identity: IodIdentity;
  /** Durable when it returns. */
  change(fields: Partial<IodIdentity>): Promise<void>;
}

const storeIdBytes = 32;

/** @throws FsError as `openDataDirectory`; WEFT_E_DATA_DAMAGED when the objects are gone */
export async function boot(
  runtime: Pick<Runtime, 'disk' | 'random' | 'killPoint'>,
  options: { readonly path: string; readonly name: string; readonly holder: string },
): Promise<Home> {
  const { path, name, holder } = options;
  const { disk, random, killPoint } = runtime;
  const data = await openDataDirectory(runtime, { path, role: 'iod', holder });
  killPoint('iod.boot.locked');
  let identity = data.identity ?? newIdentity(name, random.bytes(storeIdBytes));
  const change = async (fields: Partial<IodIdentity>): Promise<void> => {
    identity = { ...identity, ...fields };
    await data.save(identity);
  };
  try {
    if (data.identity === undefined) await change({});
    const objects = join(path, objectsDirectory);
    if (identity.incarnation > 0 && (await disk.stat(objects)) === undefined) {
      throw new FsError('EINVAL', {
        id: 'WEFT_E_DATA_DAMAGED',
        what: `${path} has lost its ${objectsDirectory}`,
      });
    }
    await disk.makeDirectory(objects);
    await disk.syncDirectory(path);
    await change({ name, incarnation: identity.incarnation + 1 });
    killPoint('iod.boot.incarnation-stored');
    return {
      lock: data.lock,
      get identity() {
        return identity;
      },
      change,
    };
  } catch (error) {
    await data.lock.release();
    throw error;
  }
}

/** Incarnation 0 has never served: it has no objects to lose yet. */
function newIdentity(name: string, storeId: Uint8Array): IodIdentity {
  return {
    storeId: Buffer.from(storeId).toString('hex'),
    cluster: '',
    name,
    incarnation: 0,
    port: 0,
    generation: 0,
    losses: 0,
  };
}
