/** The commands that do the same as the page. Pure. */

/** One word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w%+,./:=@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export function weft(...words: readonly string[]): string {
  return ['weft', ...words.map(shellWord)].join(' ');
}

export const commands = {
  list: (path: string) => weft('ls', '-l', path),
  where: (path: string) => weft('where', '--draw', path),
  download: (path: string, name: string) => weft('cp', `weft:${path}`, `./${name}`),
  upload: (name: string, path: string) => weft('cp', `./${name}`, `weft:${path}`),
  makeDirectory: (path: string) => weft('mkdir', path),
} as const;
