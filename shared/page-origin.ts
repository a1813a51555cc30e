/** Origins of pages, as browsers send them (RFC 6454, section 6.2). Pure. */
import { formatAddress } from './iodtab-address.ts';

/**
 * Whether a page can have this origin: `http://HOST` or `https://HOST:PORT`, in lower case and
 * without the port that the scheme has anyway. `null` is the origin of every page that has none,
 * and so of nobody in particular.
 */
export function isPageOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** Of the pages that a daemon at this address serves itself. */
export function originAt(host: string, port: number): string {
  return new URL(`http://${formatAddress(host, port)}`).origin;
}

/** For who has written another. */
export const originAdvice = 'write http://HOST:PORT or https://HOST, as the browser shows it';
