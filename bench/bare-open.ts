/** Opens by bare messages: what the library keeps of each is not what is measured. */
import type { FileSystem } from '../client/index.ts';
import { placeOf } from '../client/path.ts';
import { builtPath } from './built.ts';

/** Opens a file, and never closes it. */
type BareOpen = (
  { session }: Pick<FileSystem, 'session'>,
  path: string,
  how: 'read' | 'create',
) => Promise<unknown>;

export async function bareOpener(): Promise<BareOpen> {
  const path = builtPath('shared/wire/mgr-ops.js');
  const { fileOps, openFlags } = (await import(path)) as typeof import('../shared/wire/mgr-ops.ts');
  const { read, write, create } = openFlags;
  const flagsOf = { read, create: read | write | create };
  const layout = { base: undefined, pcount: undefined, ssize: undefined };
  const made = { mode: 0o644, layout, maker: undefined, handle: undefined, near: undefined };
  return ({ session }, file, how) => {
    const request = { at: placeOf(file), flags: flagsOf[how], ...made };
    return session.call(fileOps.open, request, { deadline: Infinity });
  };
}
