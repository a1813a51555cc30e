/**
 * The directory of a daemon: locked by one process, and marked by the identity file `weft.json`
 * with the role it was made for. Nothing else in it is touched before both are checked (DESIGN 4,
 * SCENARIOS 25, 226, 257).
 */
import { dirname, isAbsolute, join } from 'node:path';
import {
  asideOf,
  makeDirectoryDurably,
  readFileIfThere,
  replaceFileDurably,
} from './durable-names.ts';
import { FsError, isFsError } from './errno.ts';
import type { ErrorId } from './error-catalogue.ts';
import type { RecoveryCause } from './recovery-report.ts';
import type { Disk, DiskLock, Runtime } from './runtime/runtime.ts';
import { traceDirectory } from './trace/ring-files.ts';

/** How the use before this one ended. */
interface LastUse {
  /** The last process on it has ended in order, with all that it had been asked for done. */
  readonly clean: boolean;
  /** Start of the host on which it was used last; '' when that is not known. */
  readonly bootId: string;
}

export interface MgrIdentity extends LastUse {
  readonly cluster: string;
  /** Where it listened last: tried first at the next start. 0 before the first. */
  readonly port: number;
}

export interface IodIdentity extends LastUse {
  /** 64 hexadecimal digits, made once with the directory. */
  readonly storeId: string;
  /** '' until the first mgr has told it; never changes afterwards. */
  readonly cluster: string;
  readonly name: string;
  /** Counts starts; stored before it is used. */
  readonly incarnation: number;
  /**
   * Random ids, in hex: of the start that the mgr confirmed last, then of all after it. One of them
   * is the last that the mgr knows of; a copy of the disk that is older does not have that one.
   */
  readonly lives: readonly string[];
  readonly port: number;
  /** The latest generation of a mgr that it has seen: an earlier one is refused (SCENARIOS 48). */
  readonly generation: number;
  /** How often bytes that it had acknowledged may have been lost other than by power loss. */
  readonly losses: number;
}

export interface Identities {
  readonly mgr: MgrIdentity;
  readonly iod: IodIdentity;
}

export interface DataDirectory<I> {
  /** `undefined`: the directory is new, and is nobody's until `save`. */
  readonly identity: I | undefined;
  /** Durable when it returns. Saves of one directory follow each other. */
  save(identity: I): Promise<void>;
  readonly lock: DiskLock;
}

/** Formats up to this one can be read. */
const format = 1;
const identityFile = 'weft.json';
/** Where each role keeps what the identity stands for. */
const stores = { mgr: 'meta.db', iod: 'objects' } as const;

/**
 * Makes the directory if need be and locks it.
 * @param options.holder who we are, for the error of the next process that tries
 * @throws FsError WEFT_E_DATA_LOCKED, WEFT_E_DATA_ROLE, WEFT_E_DATA_NEWER, WEFT_E_DATA_DAMAGED;
 *   those of the disk (EACCES, EROFS, ENOTDIR …). The lock is free again then.
 */
export async function openDataDirectory<R extends keyof Identities>(
  { disk, keepTrace }: Pick<Runtime, 'disk' | 'keepTrace'>,
  options: { readonly path: string; readonly role: R; readonly holder: string },
): Promise<DataDirectory<Identities[R]>> {
  const { path, role, holder } = options;
  if (!isAbsolute(path)) {
    throw new FsError('EINVAL', { what: `the data directory ${path} is no absolute path` });
  }
  await makeDirectoryDurably(disk, path);
  const lock = await disk.lock(path, holder);
  try {
    const identity = await readIdentity(disk, path, role);
    const endTrace = keepTrace(join(path, traceDirectory));
    let saved: Promise<void> = Promise.resolve();
    const save = (next: Identities[R]): Promise<void> => {
      const content = Buffer.from(`${JSON.stringify({ format, role, ...next }, undefined, 2)}\n`);
      // Whoever waited for an earlier save has heard of its failure.
      saved = saved
        .catch(() => undefined)
        .then(() => replaceFileDurably(disk, join(path, identityFile), content))
        .then(() => keepRoom(disk, join(path, identityFile), content));
      return saved;
    };
    const release = async (): Promise<void> => {
      endTrace();
      await lock.release();
    };
    return { identity, save, lock: { release } };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/**
 * What was before this start: nothing; a stop in order; the death of the process; or a restart of
 * the host, after which what was not on the disk is gone.
 */
export type StartCause = Extract<
  RecoveryCause,
  'first-start' | 'clean-restart' | 'crash' | 'host-restart'
>;

/** @param isFirst nothing was ever done with the directory */
export function startCause(
  { clean, bootId }: LastUse,
  bootIdNow: string,
  isFirst: boolean,
): StartCause {
  if (isFirst) return 'first-start';
  if (bootId !== '' && bootId !== bootIdNow) return 'host-restart';
  return clean ? 'clean-restart' : 'crash';
}

/** The cause in words. */
export const startReasons: Readonly<Record<StartCause, string>> = {
  'first-start': 'the data directory is new',
  'clean-restart': 'the process before was stopped in order',
  crash: 'the process before has died',
  'host-restart': 'the host has started anew',
};

/**
 * What the next save writes over, so that a daemon starts, and tells what it has, from a disk without
 * a byte left (SCENARIOS 99).
 */
async function keepRoom(disk: Disk, path: string, content: Uint8Array): Promise<void> {
  try {
    const file = await disk.open(asideOf(path), 'create');
    try {
      await file.write([content], 0);
    } finally {
      await file.close();
    }
  } catch (error) {
    // It was saved; without room the next save may fail, and says so.
    if (!isFsError(error)) throw error;
  }
}

async function readIdentity<R extends keyof Identities>(
  disk: Disk,
  path: string,
  role: R,
): Promise<Identities[R] | undefined> {
  const file = join(path, identityFile);
  const content = await readFileIfThere(disk, file);
  if (content === undefined) {
    const names = await disk.list(path);
    const store = Object.values(stores).find((name) => names.includes(name));
    if (store === undefined) {
      // Whoever made the directory may have died before its name was durable.
      await disk.syncDirectory(dirname(path));
      return undefined;
    }
    // A new identity would make the bytes of another store out of these.
    throw refused('WEFT_E_DATA_DAMAGED', `${path} holds ${store} but no ${identityFile}`);
  }
  const fields = { ...added[role], ...parse(file, content) };
  if (typeof fields['format'] === 'number' && fields['format'] > format) {
    throw refused(
      'WEFT_E_DATA_NEWER',
      `${path} has format ${fields['format']}, this version reads up to ${format}`,
    );
  }
  const owner = Object.keys(stores).find((name) => name === fields['role']);
  if (owner !== undefined && owner !== role) {
    throw refused('WEFT_E_DATA_ROLE', `${path} was made for the role ${owner}, not ${role}`);
  }
  const checks: Record<string, Check> = fieldsOf[role];
  const isValid = owner === role && isCount(fields['format']);
  const wrong = Object.keys(checks).find((name) => checks[name]?.(fields[name]) !== true);
  if (!isValid || wrong !== undefined) {
    throw refused('WEFT_E_DATA_DAMAGED', `${file} has no valid ${wrong ?? 'role and format'}`);
  }
  return Object.fromEntries(
    Object.keys(checks).map((name) => [name, fields[name]]),
  ) as unknown as Identities[R];
}

function parse(file: string, content: Buffer): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(content.toString('utf8'));
  } catch (error) {
    throw refused('WEFT_E_DATA_DAMAGED', `${file} is no JSON`, error);
  }
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw refused('WEFT_E_DATA_DAMAGED', `${file} is no JSON object`);
}

type Check = (value: unknown) => boolean;
const isText: Check = (value) => typeof value === 'string';
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isPort: Check = (value) => isCount(value) && Number(value) <= 65_535;
const isId: Check = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isFlag: Check = (value) => typeof value === 'boolean';
const isIds: Check = (value) => Array.isArray(value) && value.every(isId);

/** Fields that a directory of an earlier version does not have, and what they are then. */
const unknownUse = { clean: false, bootId: '' } as const;
const added = { mgr: unknownUse, iod: { lives: [], ...unknownUse } } as const;

const fieldsOf: { readonly [R in keyof Identities]: Record<keyof Identities[R], Check> } = {
  mgr: { cluster: isText, port: isPort, clean: isFlag, bootId: isText },
  iod: {
    storeId: isId,
    cluster: isText,
    name: isText,
    incarnation: isCount,
    lives: isIds,
    clean: isFlag,
    bootId: isText,
    port: isPort,
    generation: isCount,
    losses: isCount,
  },
};

function refused(id: ErrorId, what: string, cause?: unknown): FsError {
  return new FsError('EINVAL', { id, what, ...(cause !== undefined && { cause }) });
}
