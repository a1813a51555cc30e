/** `Dirent` of `node:fs`. */
import type { InodeKind } from '../../shared/wire/values.ts';
import { type Dirent as Entry, Kinded } from '../stats.ts';
import type { PathArgument } from './arguments.ts';
import type { Options } from './checks.ts';
import { nameIn } from './name-encoding.ts';

export class Dirent extends Kinded {
  readonly name: string | Buffer;
  /** The directory that it is in, as it was asked for. */
  readonly parentPath: PathArgument;
  /** What Node called `parentPath` before. */
  readonly path: PathArgument;
  readonly kind: InodeKind;

  constructor({ nameBytes, kind }: Entry, parentPath: PathArgument, options: Options) {
    super();
    this.name = nameIn(options, nameBytes);
    this.parentPath = parentPath;
    this.path = parentPath;
    this.kind = kind;
  }
}
