#!/usr/bin/env node
/** The program `weft-iod`: from the command line to an iod. Exit code 2: the command line is wrong. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { noSecret } from '../shared/auth.ts';
import { parseClusterUrl } from '../shared/cluster-url.ts';
import { FsError, isFsError, toFsError } from '../shared/errno.ts';
import { type ListedIod, parseIodtab } from '../shared/iodtab.ts';
import { readKeyFile } from '../shared/key-file.ts';
import { limits } from '../shared/limits.ts';
import { isPageOrigin, originAdvice, originAt } from '../shared/page-origin.ts';
import { exitWithFailure, runDaemon } from '../shared/runtime/node/daemon.ts';
import { lazyExposition } from '../shared/runtime/node/lazy-exposition.ts';
import { makeNodeRuntime } from '../shared/runtime/node.ts';
import type { LogLevel } from '../shared/runtime/runtime.ts';
import { version } from '../shared/version.ts';
import { type IodConfig, makeIod } from './iod.ts';

interface Options {
  readonly data: string;
  readonly mgr: string;
  readonly name?: string;
  readonly iodtab?: string;
  readonly index?: number;
  readonly host?: string;
  readonly port?: number;
  readonly advertise?: number;
  readonly key?: string;
  readonly syncTimeout: number;
  readonly directReads: 'on' | 'off';
  readonly allowOrigin: readonly string[];
  readonly logLevel: LogLevel;
  readonly powersave: boolean;
  readonly printReady: boolean;
}

const program: Command = new Command('weft-iod')
  .description('Keeps the bytes of a weftfs file system: one of the iods.')
  .version(version)
  .requiredOption('--data <dir>', 'its data directory, made when missing')
  .requiredOption('--mgr <url>', 'the mgr: ws://HOST:PORT?key=FILE')
  .option('--name <name>', 'its name in the iodtab of the mgr')
  .option('--iodtab <file>', 'an iodtab that tells name, host and port instead; with --index')
  .option('--index <number>', 'its number in the iodtab, from 0', integer)
  .option('--host <host>', 'address to listen on (default: of the iodtab, or 127.0.0.1)')
  .option('--port <port>', '0: as last time, or any (default: of the iodtab, or 0)', integer)
  .option(
    '--advertise <port>',
    'where clients reach it, on the host of the iodtab of the mgr, when that is not where it ' +
      'listens, as where a port is forwarded; no unix socket is told of then',
    advertisedPort,
  )
  .option('--key <file>', 'key file of the cluster (default: the one that the URL names)')
  .option(
    '--sync-timeout <ms>',
    'without a mgr for so long it serves without state',
    integer,
    limits.iodSyncTimeoutMs,
  )
  .option(
    '--allow-origin <origin>',
    'pages of this origin may connect; may be given several times',
    addOrigin,
    [],
  )
  .addOption(
    new Option(
      '--direct-reads <which>',
      'clients of its user on this host read its files themselves',
    )
      .choices(['on', 'off'])
      .default('on'),
  )
  .addOption(
    new Option('--log-level <level>').choices(['error', 'warn', 'info', 'debug']).default('info'),
  )
  .option('--powersave', 'let idle processors of this host sleep, however slow they wake', false)
  .option('--print-ready', 'print one line of JSON as soon as it serves', false)
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
  const listed = listedIod(options);
  const name = options.name ?? listed?.name;
  if (name === undefined) program.error('error: give --name, or --iodtab and --index');
  const dataDirectory = resolve(options.data);
  const { host, port, keyFile } = parseClusterUrl(options.mgr);
  const runtime = makeNodeRuntime({
    log: { level: options.logLevel, fields: { role: 'iod', node: name } },
    trace: { role: 'iod', name, filesKept: limits.traceFilesKeptOfDaemon },
    // The pages of the mgr too: its dashboard.
    origins: [...options.allowOrigin, originAt(host, port)],
  });
  const key = options.key ?? keyFile;
  const config: IodConfig = {
    dataDirectory,
    name,
    mgr: { host, port },
    secret: key === undefined ? noSecret : await readKeyFile(runtime.disk, key),
    host: options.host ?? listed?.host ?? '127.0.0.1',
    port: options.port ?? listed?.port ?? 0,
    advertisedPort: options.advertise,
    directReads: options.directReads === 'on',
    syncTimeoutMs: options.syncTimeout,
    process: {
      id: process.pid,
      residentBytes: () => process.memoryUsage.rss(),
      expose: lazyExposition(),
    },
  };
  await runDaemon({
    role: 'iod',
    name,
    dataDirectory,
    printReady: options.printReady,
    powerSave: options.powersave,
    log: runtime.log,
    make: (onFatal) => makeIod({ runtime, config, onFatal }),
  });
}

/** @throws FsError WEFT_E_IODTAB */
function listedIod({ iodtab, index }: Options): ListedIod | undefined {
  if (iodtab === undefined && index === undefined) return undefined;
  if (iodtab === undefined || index === undefined) {
    program.error('error: --iodtab and --index belong together');
  }
  const { iods } = parseIodtab(readText(iodtab), iodtab);
  const listed = iods[index];
  if (listed !== undefined) return listed;
  throw new FsError('EINVAL', {
    id: 'WEFT_E_IODTAB',
    what: `${iodtab} lists ${iods.length} iods; there is no number ${index}`,
  });
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error: unknown) {
    throw toFsError(error);
  }
}

function advertisedPort(text: string): number {
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number >= 1 && number <= 65_535) return number;
  throw new InvalidArgumentError('it is no port from 1 to 65535.');
}

function addOrigin(text: string, origins: readonly string[]): readonly string[] {
  if (isPageOrigin(text)) return [...origins, text];
  throw new InvalidArgumentError(`${originAdvice}.`);
}

function integer(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('it is no whole number from 0.');
  return Number(text);
}
