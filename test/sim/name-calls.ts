/** Random calls on names, and how the client library does them. */
import type { Control } from '../../client/control.ts';
import type { FileSystem } from '../../client/file-system.ts';
import type { Outcome } from './linearizer.ts';
import type { NameCall } from './name-model.ts';
import { manyDirectory } from './own-names.ts';
import type { SimRandom } from './runtime/random.ts';

const directories = ['/d0', '/d1', '/d0/e', ''];
const files = ['/a', '/b', '/c'];
const links = ['/s', '/t'];
/** Also one that leads nowhere, and links that lead to each other. */
const targets = ['/d0', '/d1', '/d0/a', '/nowhere', '/s', '/d0/t'];
const xattrs = ['user.x', 'user.y'];

export type PlainNameCall = Exclude<NameCall, { kind: 'open' }>;

/** Where a file may be: some of the time through a symbolic link. */
export function filePathOf(random: SimRandom): string {
  const directory = random.chance(0.15) ? random.pick(links) : random.pick(directories);
  return directory + random.pick(files);
}

/** @param known paths that may exist: most calls are about one of them */
export function nameCallOf(random: SimRandom, known: readonly string[]): PlainNameCall {
  const directory = (): string => random.pick(directories);
  const unknown = (): string =>
    random.chance(0.2) ? random.pick(directories.slice(0, 3)) : filePathOf(random);
  const anything = (): string =>
    known.length > 0 && random.chance(0.5) ? random.pick(known) : unknown();
  const path = anything();
  const link = directory() + random.pick(links);
  const name = random.pick(xattrs);
  const makers: readonly (() => PlainNameCall)[] = [
    () => ({ kind: 'mkdir', path: random.pick(directories.slice(0, 3)) }),
    () => ({ kind: 'mkdir', path }),
    () => ({ kind: 'rmdir', path }),
    () => ({ kind: 'unlink', path }),
    () => ({ kind: 'stat', path }),
    () => ({ kind: 'stat', path }),
    () => ({ kind: 'readdir', path: random.chance(0.2) ? link : directory() || '/' }),
    () => ({ kind: 'link', path, to: anything() }),
    () => ({ kind: 'rename', path, to: anything() }),
    () => ({ kind: 'rename', path: filePathOf(random), to: anything() }),
    () => ({ kind: 'renameNoReplace', path, to: anything() }),
    () => ({ kind: 'exchange', path, to: anything() }),
    () => ({ kind: 'rename', path: link, to: directory() + random.pick(links) }),
    () => ({ kind: 'symlink', path: link, target: random.pick(targets) }),
    () => ({ kind: 'unlink', path: link }),
    () => ({ kind: 'readlink', path: link }),
    () => ({ kind: 'chmod', path, mode: random.below(0o1000) }),
    () => ({ kind: 'setxattr', path, name, value: `v${random.below(100)}` }),
    () => ({ kind: 'getxattr', path, name }),
    () => ({ kind: 'listxattr', path }),
    () => ({ kind: 'removexattr', path, name }),
  ];
  return random.pick(makers)();
}

/** @throws FsError */
export async function perform(
  fs: FileSystem,
  call: PlainNameCall,
  control: Control,
): Promise<Outcome> {
  const { path } = call;
  switch (call.kind) {
    case 'mkdir':
      await fs.mkdir(path, control);
      return { text: 'done' };
    case 'rmdir':
      await fs.rmdir(path, control);
      return { text: 'done' };
    case 'unlink':
      await fs.unlink(path, control);
      return { text: 'done' };
    case 'symlink':
      await fs.symlink(call.target, path, control);
      return { text: 'done' };
    case 'link':
      await fs.link(path, call.to, control);
      return { text: 'done' };
    case 'rename':
      await fs.rename(path, call.to, control);
      return { text: 'done' };
    case 'renameNoReplace':
      await fs.rename(path, call.to, { ...control, noReplace: true });
      return { text: 'done' };
    case 'exchange':
      await fs.rename(path, call.to, { ...control, exchange: true });
      return { text: 'done' };
    case 'chmod':
      await fs.chmod(path, call.mode, control);
      return { text: 'done' };
    case 'setxattr':
      await fs.setxattr(path, call.name, Buffer.from(call.value), control);
      return { text: 'done' };
    case 'removexattr':
      await fs.removexattr(path, call.name, control);
      return { text: 'done' };
    case 'getxattr': {
      const value = await fs.getxattr(path, call.name, control);
      return { text: `value ${Buffer.from(value).toString()}` };
    }
    case 'listxattr':
      return { text: `names ${(await fs.listxattr(path, control)).toSorted().join(' ')}` };
    case 'readlink':
      return { text: `target ${await fs.readlink(path, control)}` };
    case 'stat': {
      const { kind, mode, nlink, ino } = await fs.lstat(path, control);
      const shown = kind === 'file' ? (mode & 0o7777).toString(8) : '';
      return { text: `${kind} ${shown} ${nlink}`, ino };
    }
    case 'readdir':
      break;
  }
  const entries = await fs.readdir(path, control);
  const names = entries.flatMap(({ name, kind }) => (isOwn(name) ? [] : [`${name}:${kind}`]));
  return { text: names.toSorted().join(' ') };
}

/** What is judged elsewhere: `own-names.ts`. */
export function isOwn(name: string): boolean {
  return `/${name}` === manyDirectory;
}
