/**
 * Unix sockets with a name in place of a file. It belongs to a network namespace, as ports of loopback
 * do, and goes with its listener. Pure.
 */
import type { Endpoint } from './runtime.ts';

/** As `ss` shows it. Paths of files are absolute. */
const mark = '@';

/** @param name in ASCII */
export function endpointNamed(name: string): Extract<Endpoint, { kind: 'unix' }> {
  return { kind: 'unix', path: `${mark}${name}` };
}

export function isAbstract(endpoint: Endpoint): boolean {
  return endpoint.kind === 'unix' && endpoint.path.startsWith(mark);
}

/**
 * What both ends of a connection at a name know of where it is, for their proofs; `undefined` elsewhere.
 * Anybody may take a name that is free, and hand on what he hears to a mgr elsewhere, or here at a port or
 * another name: none of these is the same place.
 */
export function placeOf(loopbackId: string, endpoint: Endpoint): string | undefined {
  return endpoint.kind === 'unix' && isAbstract(endpoint)
    ? `${loopbackId} ${endpoint.path}`
    : undefined;
}
