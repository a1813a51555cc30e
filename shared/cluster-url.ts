/** Where a cluster is, in one word: `ws://HOST:PORT?key=/path/to/cluster.key`. Pure. */
import { FsError } from './errno.ts';
import { formatAddress, quoted } from './iodtab-address.ts';
import { mgrPortDefault } from './iodtab.ts';

export interface ClusterUrl {
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Absolute path. The URL names the file, never the key: URLs end up in logs and listings. */
  readonly keyFile?: string;
}

const example = 'ws://HOST:PORT?key=/path/to/cluster.key';

/** @throws FsError EINVAL, WEFT_E_BAD_URL, that says what is wrong and what to type */
export function parseClusterUrl(text: string): ClusterUrl {
  const rest = withoutScheme(text);
  const [, authority = '', path = '', query, fragment] =
    /^([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(rest) ?? [];
  if (authority.includes('@')) {
    throw badUrl('it holds a user or password, which weftfs does not use; remove all up to the @');
  }
  if (path !== '' && path !== '/') {
    throw badUrl(`it has a path, ${quoted(path)}; remove it, files are named apart from the URL`);
  }
  if (fragment !== undefined) {
    throw badUrl('it has a #; remove what begins there, or write %23 for a # in the key file');
  }
  const keyFile = parseQuery(query ?? '');
  return { ...parseAuthority(authority), ...(keyFile !== undefined && { keyFile }) };
}

/** @returns the URL that `parseClusterUrl` reads as the same */
export function formatClusterUrl({ host, port, keyFile }: ClusterUrl): string {
  const url = `ws://${formatAddress(host, port)}`;
  if (keyFile === undefined) return url;
  return `${url}?key=${encodeURIComponent(keyFile).replaceAll('%2F', '/')}`;
}

function withoutScheme(text: string): string {
  if (text === '') throw badUrl(`it is empty; write ${example}`);
  if (/\s/.test(text)) {
    throw badUrl('it has white space in it; remove it, or write %20 for a space in the key file');
  }
  const [start = '', scheme = ''] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text) ?? [];
  switch (scheme.toLowerCase()) {
    case 'ws':
      return text.slice(start.length);
    case 'wss':
      throw badUrl(
        'wss is not spoken: weftfs proves the key at both ends but does not encrypt; ' +
          'write ws:// and lead it through a tunnel (ssh, WireGuard) where others can listen',
      );
    case '':
      throw badUrl(`it does not begin with ws://; write ${example}`);
    default:
      throw badUrl(`it begins with ${quoted(start)}; write ${example}`);
  }
}

function parseAuthority(authority: string): { host: string; port: number } {
  const [, host, port] = /^(\[[^[\]]*\]|[^:[\]\\]*)(?::([^:]*))?$/.exec(authority) ?? [];
  if (host === undefined) {
    throw badUrl(
      `${quoted(authority)} is neither HOST:PORT nor [IPV6]:PORT; write IPv6 as [::1]:7300`,
    );
  }
  if (host === '') throw badUrl(`it names no host; write ${example}`);
  return { host: parseHost(host), port: port === undefined ? mgrPortDefault : parsePort(port) };
}

function parseHost(host: string): string {
  const url = `ws://${host}`;
  if (!URL.canParse(url)) {
    throw badUrl(`${quoted(host)} is no host; write a name, an IPv4 address, or [IPV6]`);
  }
  return new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');
}

function parsePort(port: string): number {
  const number = Number(port);
  if (/^\d+$/.test(port) && number >= 1 && number <= 65_535) return number;
  throw badUrl(`${quoted(port)} is no port; write a number from 1 to 65535, or no colon for 7300`);
}

function parseQuery(query: string): string | undefined {
  const [parameter = '', ...others] = query.split('&').filter((one) => one !== '');
  if (parameter === '') return undefined;
  const unknown = [parameter, ...others].find((one) => !one.startsWith('key='));
  if (unknown !== undefined) {
    const [key = ''] = unknown.split('=', 1);
    throw badUrl(`it has a parameter ${quoted(key)}; the only one is key=FILE (write & as %26)`);
  }
  if (others.length > 0) throw badUrl('it names a key file twice; write ?key=FILE once');
  const keyFile = decoded(parameter.slice('key='.length));
  if (keyFile.startsWith('/') && !keyFile.includes('\0')) return keyFile;
  throw badUrl(
    `its key file ${quoted(keyFile)} is no absolute path; write ?key=/path/to/cluster.key`,
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error: unknown) {
    if (!(error instanceof URIError)) throw error;
    throw badUrl(`its key file ${quoted(text)} has a stray %; write %25 for a % in it`);
  }
}

function badUrl(reason: string): FsError {
  return new FsError('EINVAL', {
    id: 'WEFT_E_BAD_URL',
    what: `this is not a cluster URL: ${reason}`,
  });
}
