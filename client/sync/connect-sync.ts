/**
 * The synchronous half of `node:fs`, for programs that cannot wait otherwise: each call blocks its
 * thread until another thread has made it. `import { connectSync } from 'weftfs/sync'`.
 */
import type { ConnectOptions } from '../connect.ts';
import { Line } from './line.ts';
import { type NodeFsSync, syncMethods } from './methods.ts';

/** What can be told to another thread. */
export type ConnectSyncOptions = Omit<ConnectOptions, 'runtime'>;

export type ConnectedFileSystemSync = NodeFsSync & {
  /** Without a number: gives everything back and ends all connections. */
  closeSync(fd?: number): void;
  [Symbol.dispose](): void;
};

/**
 * Connects to a cluster and begins a session with it. The thread must not be one that the cluster
 * itself needs, and in a program that serves anybody use `connect` instead.
 * @param url as `weft up` prints it; the environment's WEFT_URL by default
 * @throws FsError as `connect`
 */
export function connectSync(
  url?: string,
  options: ConnectSyncOptions = {},
): ConnectedFileSystemSync {
  const line = new Line({ url, options }, modules);
  const methods = syncMethods((method, ...args) => line.call(method, args));
  const { closeSync } = methods;
  const fs = {
    ...methods,
    closeSync(fd?: number): void {
      if (fd === undefined) line.end();
      else closeSync(fd);
    },
    [Symbol.dispose]: () => line.end(),
  };
  return fs;
}

/** Sources are run through tsx, what was built by Node alone. */
const isSource = import.meta.url.endsWith('.ts');
const program = new URL(isSource ? 'worker.ts' : 'worker.js', import.meta.url).href;
const modules = isSource ? ['tsx/esm/api', program] : [program];
