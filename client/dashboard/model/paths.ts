/** Paths of the file browser. Pure. */

export function childOf(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}

/** Each directory of a path, from the root down, with its name. */
export function stepsTo(path: string): readonly { readonly name: string; readonly path: string }[] {
  const names = path.split('/').filter((name) => name !== '');
  const below = names.map((name, i) => ({ name, path: `/${names.slice(0, i + 1).join('/')}` }));
  return [{ name: '/', path: '/' }, ...below];
}
