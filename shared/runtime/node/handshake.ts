/** The upgrade from HTTP to WebSocket (RFC 6455, section 4), as text. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isLoopback } from '../../loopback.ts';

export const rpcPath = '/rpc';
/** Spoken by stock `ws` and browsers. */
export const stockProtocol = 'weft.1';
/** The same bytes, read and written by us. */
export const directProtocol = 'weft.direct.1';
/** An answer to the upgrade, or a request, with longer headers comes from nobody we know. */
export const headerBytesMax = 8 * 1024;

const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** What proves that the other side has read our key (RFC 6455, 4.2.2). */
export function acceptHash(key: string): string {
  return createHash('sha1').update(`${key}${magic}`).digest('base64');
}

/** @param key 16 random bytes in base64 */
export function upgradeRequest(host: string, key: string): string {
  return [
    `GET ${rpcPath} HTTP/1.1`,
    `Host: ${host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Protocol: ${directProtocol}, ${stockProtocol}`,
    '\r\n',
  ].join('\r\n');
}

export function upgradeAnswer(key: string): string {
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptHash(key)}`,
    `Sec-WebSocket-Protocol: ${directProtocol}`,
    '\r\n',
  ].join('\r\n');
}

/** What an upgrade asks for, or the HTTP status that refuses it. */
export type Wanted =
  | { readonly key: string; readonly direct: boolean }
  | { readonly status: number };

/** @param localOnly the listener is for programs on this host, and may ask them for no key */
export function readUpgradeRequest(
  path: string | undefined,
  headers: IncomingHttpHeaders,
  localOnly: boolean,
): Wanted {
  if (path !== rpcPath) return { status: 404 };
  if (headers.upgrade?.toLowerCase() !== 'websocket') return { status: 400 };
  if (headers['sec-websocket-version'] !== '13') return { status: 426 };
  const key = headers['sec-websocket-key'] ?? '';
  if (!/^[+/0-9A-Za-z]{22}==$/.test(key)) return { status: 400 };
  const { origin, host = '' } = headers;
  if (origin !== undefined && !isOwnPage(origin, host, localOnly)) return { status: 403 };
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  if (protocols.includes(directProtocol)) return { key, direct: true };
  return protocols.includes(stockProtocol) ? { key, direct: false } : { status: 400 };
}

/**
 * A page of another site may not use the user's browser to reach a cluster on the user's host. Nor
 * may one whose name was made to lead here after it was loaded (DNS rebinding): its origin is the
 * host that it asks for, but only this host's own names are never in a stranger's hand.
 */
function isOwnPage(origin: string, host: string, localOnly: boolean): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return origin.endsWith(`://${host}`) && (!localOnly || isLoopback(name));
}

/** The answer as far as it has come: `undefined` while more is needed, else what follows it. */
export type Answer = { readonly refused: string } | { readonly rest: Buffer } | undefined;

const greeting = 'HTTP/1.1 101 ';

export function readUpgradeAnswer(bytes: Buffer, key: string): Answer {
  const begin = bytes.toString('latin1', 0, greeting.length);
  if (!greeting.startsWith(begin)) {
    return { refused: `it says ${JSON.stringify(bytes.toString('latin1', 0, 40))}` };
  }
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0)
    return bytes.length > headerBytesMax ? { refused: 'its greeting is endless' } : undefined;
  const headers = new Map<string, string>();
  for (const line of bytes.toString('latin1', 0, end).split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  if (headers.get('sec-websocket-accept') !== acceptHash(key)) {
    return { refused: 'it does not answer to our key' };
  }
  // Both protocols are the same bytes, so it is all one to us which of them the other side picks.
  const protocol = headers.get('sec-websocket-protocol');
  if (protocol !== directProtocol && protocol !== stockProtocol) {
    return { refused: `it speaks ${protocol ?? 'no protocol we offered'}` };
  }
  if (headers.has('sec-websocket-extensions')) return { refused: 'it uses an extension' };
  return { rest: bytes.subarray(end + 4) };
}
