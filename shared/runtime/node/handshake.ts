/** The upgrade from HTTP to WebSocket (RFC 6455, section 4), as text. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isLoopback } from '../../loopback.ts';
import { directProtocol, laneExtension, rpcPath, stockProtocol } from '../upgrade-names.ts';

/** An answer to the upgrade, or a request, with longer headers comes from nobody we know. */
export const headerBytesMax = 8 * 1024;

const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** What proves that the other side has read our key (RFC 6455, 4.2.2). */
export function acceptHash(key: string): string {
  return createHash('sha1').update(`${key}${magic}`).digest('base64');
}

/**
 * @param key 16 random bytes in base64
 * @param lane name of the one that we offer
 */
export function upgradeRequest(host: string, key: string, lane: string | undefined): string {
  return [
    `GET ${rpcPath} HTTP/1.1`,
    `Host: ${host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Protocol: ${directProtocol}, ${stockProtocol}`,
    ...(lane === undefined ? [] : [`Sec-WebSocket-Extensions: ${laneExtension}; name=${lane}`]),
    '\r\n',
  ].join('\r\n');
}

/** @param withLane the one that was offered is taken */
export function upgradeAnswer(key: string, withLane: boolean): string {
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptHash(key)}`,
    `Sec-WebSocket-Protocol: ${directProtocol}`,
    ...(withLane ? [`Sec-WebSocket-Extensions: ${laneExtension}`] : []),
    '\r\n',
  ].join('\r\n');
}

/** What an upgrade asks for, or the HTTP status that refuses it. */
export type Wanted =
  | {
      readonly key: string;
      readonly direct: boolean;
      /** Name of the lane that is offered. */
      readonly lane: string | undefined;
    }
  | { readonly status: number };

/** Which pages a listener lets in. */
export interface PageRule {
  /** The listener is for programs on this host, and may ask them for no key. */
  readonly localOnly: boolean;
  /** Of pages from elsewhere. */
  readonly origins: readonly string[];
}

/** @param pages which of them may connect; who is no page has no origin */
export function readUpgradeRequest(
  path: string | undefined,
  headers: IncomingHttpHeaders,
  pages: PageRule,
): Wanted {
  if (path !== rpcPath) return { status: 404 };
  if (headers.upgrade?.toLowerCase() !== 'websocket') return { status: 400 };
  if (headers['sec-websocket-version'] !== '13') return { status: 426 };
  const key = headers['sec-websocket-key'] ?? '';
  if (!/^[+/0-9A-Za-z]{22}==$/.test(key)) return { status: 400 };
  const { origin, host = '' } = headers;
  if (origin !== undefined && !mayConnect(origin, host, pages)) return { status: 403 };
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const direct = protocols.includes(directProtocol);
  if (!direct && !protocols.includes(stockProtocol)) return { status: 400 };
  const extensions = headers['sec-websocket-extensions'] ?? '';
  const lane = direct ? laneOffered.exec(extensions)?.[1] : undefined;
  return { key, direct, lane };
}

const laneOffered = new RegExp(`^${laneExtension}; *name=([^ ;,]+)$`);

/**
 * A page of another site may not use the user's browser to reach a cluster on the user's host,
 * unless the operator names its origin. Nor may one whose name was made to lead here after it was
 * loaded (DNS rebinding): its origin is the host that it asks for, but only this host's own names
 * are never in a stranger's hand.
 */
function mayConnect(origin: string, host: string, { localOnly, origins }: PageRule): boolean {
  if (origins.includes(origin)) return true;
  return origin.endsWith(`://${host}`) && (!localOnly || isLocalHost(host));
}

/** @param host as the header of this name has it: only this host's own names are ours for sure */
export function isLocalHost(host: string): boolean {
  return isLoopback(host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'));
}

/** The answer as far as it has come: `undefined` while more is needed, else what follows it. */
export type Answer =
  | { readonly refused: string }
  | {
      readonly rest: Buffer;
      /** It takes the lane that we offered. */
      readonly withLane: boolean;
    }
  | undefined;

const greeting = 'HTTP/1.1 101 ';

/** @param laneIsOffered by our request */
export function readUpgradeAnswer(bytes: Buffer, key: string, laneIsOffered: boolean): Answer {
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
  const extensions = headers.get('sec-websocket-extensions');
  const withLane = laneIsOffered && extensions === laneExtension;
  if (extensions !== undefined && !withLane) return { refused: 'it uses an extension' };
  return { rest: bytes.subarray(end + 4), withLane };
}
