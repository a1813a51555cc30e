/** Takes out of a text what must not leave a host. Pure. */

/** Keys, tokens, proofs and nonces of weftfs: 32 bytes or more in hexadecimal. */
const key = /\b[\da-f]{64,}\b/gi;
/** Where a key is kept, as a URL of a cluster says it. */
const keyFile = /([?&]key=)[^&\s"']+/g;

export function redacted(text: string): string {
  return text.replace(key, '(key)').replace(keyFile, '$1(file)');
}
