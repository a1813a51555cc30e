/** As much of the WebSocket of browsers as we use (WHATWG WebSockets, section 3). */
import { FsError } from '../../errno.ts';

export interface PageSocket {
  binaryType: string;
  readonly bufferedAmount: number;
  send(data: Uint8Array): void;
  /** @param code 1000, or 3000 to 4999: a page may give no other */
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: 'close',
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
}

export type MakeSocket = new (url: string, protocols: string[]) => PageSocket;

/** @throws FsError ENOSYS where there are none */
export function pageSocketClass(): MakeSocket {
  const { WebSocket } = globalThis as { WebSocket?: MakeSocket };
  if (WebSocket !== undefined) return WebSocket;
  throw new FsError('ENOSYS', { what: 'there is no WebSocket here' });
}
