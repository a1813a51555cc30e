/** The cluster as a command reaches it: one connection, made when it is first asked for. */
import { connect, type ConnectOptions } from '../connect.ts';
import type { FileSystem } from '../file-system.ts';
import type { Context } from './command.ts';
import type { Output } from './output.ts';

/** `close` gives the connection back, if there is one. */
export function makeContext(
  output: Output,
  url: string | undefined,
  connectOptions: ConnectOptions,
): Context & { readonly close: () => Promise<void> } {
  let connecting: Promise<FileSystem> | undefined;
  const close = async (): Promise<void> => {
    // Who asked for it has heard of its failure.
    const fileSystem = await connecting?.catch(() => undefined);
    await fileSystem?.close();
  };
  return {
    output,
    url,
    connectOptions,
    close,
    fileSystem() {
      if (connecting === undefined) {
        connecting = connect(url, connectOptions);
        closeAtSignal(close);
      }
      return connecting;
    },
  };
}

/** The session is given back, so that nobody waits for its lease; then the signal does its work. */
function closeAtSignal(close: () => Promise<void>): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void close().finally(() => process.kill(process.pid, signal));
    });
  }
}
