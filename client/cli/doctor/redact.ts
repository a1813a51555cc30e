/** Takes out of a text what must not leave a host. Pure. */

/** Patterns, and what comes in the place of what they find. */
const rules: readonly (readonly [RegExp, string])[] = [
  // Keys, tokens, proofs and nonces of weftfs: 32 bytes or more in hexadecimal.
  [/\b[\da-f]{64,}\b/gi, '(key)'],
  // Where a key is kept: as a URL of a cluster, a command line, and the environment say it.
  [/([?&]key=)[^&\s"']+/g, '$1(file)'],
  [/(--key(?:=|\s+|",\s*"))[^\s"']+/g, '$1(file)'],
  [/(\bWEFT_KEY_FILE=)[^\s"']+/g, '$1(file)'],
  // Tickets of `weft web`.
  [/(\bhttps?:\/\/[^\s#"']+#)[^\s"']+/g, '$1(ticket)'],
  // What others keep in the options of their mounts.
  [/(\b(?:pass(?:word|wd)?|secret|token|cred(?:ential)?s?)=)[^\s,"']+/gi, '$1(secret)'],
];

export function redacted(text: string): string {
  return rules.reduce((rest, [pattern, by]) => rest.replace(pattern, by), text);
}
