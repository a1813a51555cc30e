/** What sockets report, as FsErrors that name the other side. */
import { type Errno, FsError, ProtocolError, toFsError } from '../errno.ts';
import { formatAddress } from '../iodtab-address.ts';
import { isAbstract } from './abstract-name.ts';
import type { Endpoint } from './runtime.ts';

/** A control frame holds 125 bytes, two of them the code (RFC 6455, 5.5). */
const farewellBytesMax = 123;

/** @returns `127.0.0.1:7000`, `[::1]:7000`, `unix:/path` or `unix:@name` */
export function endpointText(endpoint: Endpoint): string {
  if (endpoint.kind === 'unix') return `unix:${endpoint.path}`;
  return formatAddress(endpoint.host, endpoint.port);
}

/** An IPv4 address that came over an IPv6 socket is shown as what it is. */
export function peerHostOf(remoteAddress: string | undefined): string {
  return remoteAddress?.replace(/^::ffff:(?=\d+\.)/, '') ?? 'unknown';
}

/** Codes that say what one of ours says already. */
const sameAs: Readonly<Record<string, Errno>> = {
  ENETUNREACH: 'EHOSTUNREACH',
  ENETDOWN: 'EHOSTUNREACH',
  EHOSTDOWN: 'EHOSTUNREACH',
  ECONNABORTED: 'ECONNRESET',
  EPIPE: 'ECONNRESET',
  EAI_AGAIN: 'EAGAIN',
  EAI_NODATA: 'ENOTFOUND',
  EAI_NONAME: 'ENOTFOUND',
};

function netErrno(error: unknown): Errno {
  const code = String((error as { code?: unknown } | null)?.code);
  return sameAs[code] ?? toFsError(error).code;
}

/** Why no connection came to be. A unix socket that is not there is one that nobody listens on. */
export function connectError(endpoint: Endpoint, error: unknown): FsError {
  const errno = netErrno(error);
  const code = endpoint.kind === 'unix' && errno === 'ENOENT' ? 'ECONNREFUSED' : errno;
  return new FsError(code, {
    what: `connect to ${endpointText(endpoint)}: ${reasonText(error)}`,
    cause: error,
  });
}

/** Something answers, but it does not speak as a weftfs daemon does. */
export function notWeftError(endpoint: Endpoint, why: string): FsError {
  return new FsError('EPROTO', {
    id: 'WEFT_E_NOT_WEFT',
    what: `${endpointText(endpoint)} answers, but is no weftfs daemon: ${why}`,
  });
}

/** Why nothing listens at `endpoint`. */
export function listenError(endpoint: Endpoint, error: unknown): FsError {
  const code = netErrno(error);
  const taken = code === 'EADDRINUSE' && (endpoint.kind === 'tcp' || isAbstract(endpoint));
  return new FsError(code, {
    id: taken ? 'WEFT_E_PORT_TAKEN' : undefined,
    what: `listen on ${endpointText(endpoint)}: ${reasonText(error)}`,
    cause: error,
  });
}

/** Why a name gives no address. */
export function resolveError(host: string, error: unknown): FsError {
  const what = `resolve ${host}: ${reasonText(error)}`;
  return new FsError(netErrno(error), { what, cause: error });
}

/** Why a connection that stood is no more. */
export function lostError(peer: string, error: unknown): FsError {
  return new FsError(netErrno(error), {
    what: `connection to ${peer} lost: ${reasonText(error)}`,
    cause: error,
  });
}

/** The peer ended the connection, with or without a farewell. */
export function closedByPeer(peer: string, farewell = ''): FsError {
  const why = farewell === '' ? '' : `: ${farewell}`;
  return new FsError('ECONNRESET', { what: `${peer} closed the connection${why}` });
}

/** Code and text of the close frame that tells the peer why; in ASCII, so none is cut in half. */
export function farewellOf(reason: Error): { readonly code: number; readonly text: string } {
  const text = reason.message.replaceAll(/[^ -~]/g, '?').slice(0, farewellBytesMax);
  return { code: reason instanceof ProtocolError ? 1002 : 1001, text };
}

function reasonText(error: unknown): string {
  // Several addresses were tried: the collection itself has no text, its parts have.
  if (error instanceof AggregateError) return error.errors.map(reasonText).join('; ');
  return error instanceof Error ? error.message : String(error);
}
