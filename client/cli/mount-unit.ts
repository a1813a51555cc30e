/** A unit of systemd that keeps a cluster mounted, from every start of the host on. Pure. */

/** @param words the command that mounts in the foreground @param directory relative paths start here */
export function mountUnit(
  mountPoint: string,
  words: readonly string[],
  directory: string,
): readonly string[] {
  return [
    '[Unit]',
    `Description=weft on ${specifierFree(mountPoint)}`,
    'Wants=network-online.target',
    'After=network-online.target',
    '',
    '[Service]',
    `WorkingDirectory=${specifierFree(directory)}`,
    `ExecStart=${words.map(quoted).join(' ')}`,
    'Restart=on-failure',
    '',
    '[Install]',
    'WantedBy=remote-fs.target',
  ];
}

/** As systemd.service(5) takes a word of a command line, whatever is in it. */
function quoted(word: string): string {
  const escaped = word.replace(/[\\"]/g, '\\$&').replaceAll('$', () => '$$');
  return `"${specifierFree(escaped)}"`;
}

function specifierFree(text: string): string {
  return text.replaceAll('%', '%%');
}
