#!/usr/bin/env node
/** The program `weft-mgr`: from the command line to a mgr. Exit code 2: the command line is wrong. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { noSecret } from '../shared/auth.ts';
import { isFsError, toFsError } from '../shared/errno.ts';
import { type Iodtab, mgrPortDefault, parseIodtab } from '../shared/iodtab.ts';
import { readKeyFile } from '../shared/key-file.ts';
import { limits } from '../shared/limits.ts';
import { lockHolder } from '../shared/lock-holder.ts';
import { isPageOrigin, originAdvice } from '../shared/page-origin.ts';
import { exitWithFailure, runDaemon } from '../shared/runtime/node/daemon.ts';
import { lazyExposition } from '../shared/runtime/node/lazy-exposition.ts';
import { pageFiles } from '../shared/runtime/node/page-files.ts';
import { makeNodeRuntime } from '../shared/runtime/node.ts';
import type { LogLevel } from '../shared/runtime/runtime.ts';
import { version } from '../shared/version.ts';
import { makeMgrDaemon } from './daemon.ts';
import type { Identity } from '../shared/inherited.ts';

type Users = ReadonlyMap<string, Identity>;

interface Options {
  readonly data: string;
  readonly iodtab?: string;
  readonly host?: string;
  readonly port?: number;
  readonly key?: string;
  readonly user: Users;
  readonly rootSquash: boolean;
  readonly sessionLease: number;
  readonly smallFileBytes: number;
  readonly allowOrigin: readonly string[];
  readonly logLevel: LogLevel;
  readonly powersave: boolean;
  readonly printReady: boolean;
}

const program: Command = new Command('weft-mgr')
  .description('Keeps the names of a weftfs file system: its one mgr.')
  .version(version)
  .requiredOption('--data <dir>', 'its data directory, made when missing')
  .option('--iodtab <file>', 'the iods; needed at the first start')
  .option('--host <host>', 'address to listen on (default: of the iodtab, or 127.0.0.1)')
  .option(
    '--port <port>',
    `0: as last time, or any (default: of the iodtab, or ${mgrPortDefault})`,
    port,
  )
  .option('--key <file>', 'key file of the cluster; needed beyond loopback')
  .option(
    '--user <name=uid:gid>',
    'who the holders of a token of this name are; more groups after commas',
    addUser,
    new Map(),
  )
  .option('--root-squash', 'root of a client is nobody here', false)
  .option(
    '--session-lease <ms>',
    'what a client that is away for so long had open is closed',
    leaseMs,
    limits.sessionLeaseMs,
  )
  .option(
    '--small-file-bytes <bytes>',
    'files that are no longer have their bytes in the data directory of the mgr; 0: none',
    smallFileBytes,
    limits.smallFileBytesDefault,
  )
  .option(
    '--allow-origin <origin>',
    'pages of this origin may connect; may be given several times',
    addOrigin,
    [],
  )
  .addOption(
    new Option('--log-level <level>').choices(['error', 'warn', 'info', 'debug']).default('info'),
  )
  .option('--powersave', 'let idle processors of this host sleep, however slow they wake', false)
  .option('--print-ready', 'print one line of JSON as soon as it listens', false)
  .exitOverride();

try {
  await run(program.parse().opts<Options>());
} catch (error: unknown) {
  // commander has said what is wrong.
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
  if (!isFsError(error)) throw error;
  exitWithFailure(error);
}

async function run(options: Options): Promise<void> {
  const dataDirectory = resolve(options.data);
  const runtime = makeNodeRuntime({
    log: { level: options.logLevel, fields: { role: 'mgr' } },
    origins: options.allowOrigin,
    trace: { role: 'mgr', name: 'mgr', filesKept: limits.traceFilesKeptOfDaemon },
  });
  const iodtab = options.iodtab === undefined ? undefined : readIodtab(options.iodtab);
  const config = {
    host: options.host ?? iodtab?.mgr?.host ?? '127.0.0.1',
    port: options.port ?? iodtab?.mgr?.port ?? mgrPortDefault,
    secret: options.key === undefined ? noSecret : await readKeyFile(runtime.disk, options.key),
    iodtab,
    policy: { rootSquash: options.rootSquash, users: options.user },
    rootOwner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    sessionLeaseMs: options.sessionLease,
    smallFileBytes: options.smallFileBytes,
    process: {
      residentBytes: () => process.memoryUsage.rss(),
      expose: lazyExposition(),
      dashboard: pageFiles(new URL('../dashboard/', import.meta.url)),
    },
  };
  await runDaemon({
    role: 'mgr',
    name: 'mgr',
    dataDirectory,
    printReady: options.printReady,
    powerSave: options.powersave,
    log: runtime.log,
    make: (onFatal) =>
      makeMgrDaemon({
        runtime,
        dataDirectory,
        holder: lockHolder('mgr', process.pid),
        config,
        onFatal,
      }),
  });
}

/** @throws FsError WEFT_E_IODTAB; ENOENT, EACCES */
function readIodtab(path: string): Iodtab {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error: unknown) {
    throw toFsError(error);
  }
  return parseIodtab(text, path);
}

function port(text: string): number {
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number <= 65_535) return number;
  throw new InvalidArgumentError('it is no whole number from 0 to 65535.');
}

function leaseMs(text: string): number {
  const number = Number(text);
  if (/^\d{1,8}$/.test(text) && number >= 1000) return number;
  throw new InvalidArgumentError('it is no whole number from 1000 to 99999999.');
}

function smallFileBytes(text: string): number {
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number <= limits.smallFileBytesMax) return number;
  throw new InvalidArgumentError(`it is no whole number from 0 to ${limits.smallFileBytesMax}.`);
}

function addOrigin(text: string, origins: readonly string[]): readonly string[] {
  if (isPageOrigin(text)) return [...origins, text];
  throw new InvalidArgumentError(`${originAdvice}.`);
}

function addUser(text: string, users: Users): Users {
  const [, name, uid, gids] = /^([^=]+)=(\d{1,10}):(\d{1,10}(?:,\d{1,10})*)$/.exec(text) ?? [];
  const [gid, ...groups] = (gids ?? '').split(',').map(Number);
  const ids = [Number(uid), gid ?? NaN, ...groups];
  if (name === undefined || gid === undefined || ids.some((id) => id > 0xffff_fffe)) {
    throw new InvalidArgumentError('write NAME=UID:GID, or NAME=UID:GID,GROUP,GROUP.');
  }
  return new Map([...users, [name, { uid: Number(uid), gid, groups }]]);
}
