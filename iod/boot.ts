/**
 * BOOT: the data directory is locked and checked, and this start gets a number that is stored
 * before it is used (DESIGN 4).
 */
import { join } from 'node:path';
import {
  type DataDirectory,
  type IodIdentity,
  openDataDirectory,
  startCause,
  type StartCause,
} from '../shared/data-directory.ts';
import { FsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { DiskLock, Random, Runtime } from '../shared/runtime/runtime.ts';
import { objectsDirectory } from './storage/file-object-store.ts';

export interface Home {
  readonly cause: StartCause;
  /** Released, the identity is somebody else's: what is being stored is, and nothing after it. */
  readonly lock: DiskLock;
  readonly identity: IodIdentity;
  /** In force and durable when it returns. One after the other. @throws FsError of the disk */
  readonly change: (fields: Partial<IodIdentity>) => Promise<void>;
}

const idBytes = 32;

/** @throws FsError as `openDataDirectory`; WEFT_E_DATA_DAMAGED when the objects are gone */
export async function boot(
  runtime: Pick<Runtime, 'disk' | 'random' | 'net' | 'killPoint' | 'keepTrace'>,
  options: { readonly path: string; readonly name: string; readonly holder: string },
): Promise<Home> {
  const { path, name, holder } = options;
  const { disk, random, net, killPoint } = runtime;
  const data = await openDataDirectory(runtime, { path, role: 'iod', holder });
  killPoint('iod.boot.locked');
  const home = keep(data, data.identity ?? newIdentity(name, random.bytes(idBytes)), net.bootId);
  try {
    if (data.identity === undefined) await home.change({});
    const objects = join(path, objectsDirectory);
    const { incarnation, lives } = home.identity;
    if (incarnation > 0 && (await disk.stat(objects)) === undefined) {
      throw new FsError('EINVAL', {
        id: 'WEFT_E_DATA_DAMAGED',
        what: `${path} has lost its ${objectsDirectory}`,
      });
    }
    await disk.makeDirectory(objects);
    await disk.syncDirectory(path);
    await home.change({
      name,
      incarnation: incarnation + 1,
      lives: withNewLife(lives, random),
      clean: false,
      bootId: net.bootId,
    });
    killPoint('iod.boot.incarnation-stored');
    return home;
  } catch (error) {
    await home.lock.release();
    throw error;
  }
}

function keep(data: DataDirectory<IodIdentity>, first: IodIdentity, bootId: string): Home {
  let identity = first;
  let turn = Promise.resolve();
  let isReleased = false;
  return {
    cause: startCause(first, bootId, first.incarnation === 0),
    get identity() {
      return identity;
    },
    change(fields) {
      if (isReleased) {
        return Promise.reject(new FsError('ECANCELED', { what: 'the directory was given back' }));
      }
      const changed = turn.then(async () => {
        const next = { ...identity, ...fields };
        await data.save(next);
        identity = next;
      });
      // Whoever asked for the change hears of its failure.
      turn = changed.catch(() => undefined);
      return changed;
    },
    lock: {
      async release() {
        isReleased = true;
        await turn;
        await data.lock.release();
      },
    },
  };
}

/** When too many in a row came to nothing, the last of them goes on. */
function withNewLife(lives: readonly string[], random: Random): readonly string[] {
  if (lives.length > limits.unconfirmedLivesMax) return lives;
  return [...lives, Buffer.from(random.bytes(idBytes)).toString('hex')];
}

/** Incarnation 0 has never served: it has no objects to lose yet. */
function newIdentity(name: string, storeId: Uint8Array): IodIdentity {
  return {
    storeId: Buffer.from(storeId).toString('hex'),
    cluster: '',
    name,
    incarnation: 0,
    lives: [],
    clean: false,
    bootId: '',
    port: 0,
    generation: 0,
    losses: 0,
  };
}
