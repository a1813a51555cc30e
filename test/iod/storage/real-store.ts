/** An object store on the real disk, in a temporary directory that goes with the test. */
import * as fsp from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { FileObjectStore } from '../../../iod/storage/file-object-store.ts';
import { Quarantine } from '../../../iod/storage/quarantine.ts';
import type { ObjectStore } from '../../../iod/storage/object-store.ts';
import type { FsError } from '../../../shared/errno.ts';
import { makeNodeRuntime } from '../../../shared/runtime/node.ts';
import type { Disk } from '../../../shared/runtime/runtime.ts';
import type { Handle } from '../../../shared/units.ts';

export async function temporaryDirectory(t: ExecutionContext): Promise<string> {
  const path = await fsp.mkdtemp(join(tmpdir(), 'weft-iod-'));
  t.teardown(() => fsp.rm(path, { recursive: true, force: true }));
  return path;
}

export interface RealStore {
  readonly store: FileObjectStore;
  readonly quarantine: Quarantine;
  readonly directory: string;
  readonly losses: FsError[];
}

/** @param change replaces operations of the disk, for its failures */
export async function openRealStore(
  t: ExecutionContext,
  options: {
    readonly descriptorsMax?: number;
    readonly directory?: string;
    readonly change?: (disk: Disk) => Partial<Disk>;
  } = {},
): Promise<RealStore> {
  const directory = options.directory ?? (await temporaryDirectory(t));
  await fsp.mkdir(join(directory, 'objects'), { recursive: true });
  const real = makeNodeRuntime({ log: 'silent' });
  const runtime = { ...real, disk: { ...real.disk, ...options.change?.(real.disk) } };
  const quarantine = new Quarantine(runtime, directory);
  await quarantine.open();
  const losses: FsError[] = [];
  const store = new FileObjectStore({
    runtime,
    dataDirectory: directory,
    quarantine,
    onLoss: (why) => {
      losses.push(why);
      return Promise.resolve();
    },
    ...(options.descriptorsMax !== undefined && { descriptorsMax: options.descriptorsMax }),
  });
  t.teardown(() => store.close());
  return { store, quarantine, directory, losses };
}

/** What an object has there, as latin1. */
export async function readText(
  store: ObjectStore,
  of: Handle,
  offset = 0,
  length = 100,
): Promise<string> {
  const into = Buffer.alloc(length, '?');
  const count = await store.read(of, offset, [into]);
  return into.toString('latin1', 0, count);
}
