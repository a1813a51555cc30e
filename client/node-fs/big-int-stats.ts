/** Attributes as `node:fs` gives them with `bigint: true`: whole numbers, times to the nanosecond. */
import type { InodeKind } from '../../shared/wire/values.ts';
import type { Timestamp } from '../../shared/units.ts';
import { date, Kinded, type Stats } from '../stats.ts';

export class BigIntStats extends Kinded {
  readonly kind: InodeKind;
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: bigint;
  readonly nlink: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly rdev: bigint;
  readonly size: bigint;
  readonly blksize: bigint;
  readonly blocks: bigint;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly birthtimeNs: bigint;

  constructor(stats: Stats) {
    super();
    this.kind = stats.kind;
    this.dev = BigInt(stats.dev);
    this.ino = BigInt(stats.ino);
    this.mode = BigInt(stats.mode);
    this.nlink = BigInt(stats.nlink);
    this.uid = BigInt(stats.uid);
    this.gid = BigInt(stats.gid);
    this.rdev = BigInt(stats.rdev);
    this.size = BigInt(stats.size);
    this.blksize = BigInt(stats.blksize);
    this.blocks = BigInt(stats.blocks);
    this.atimeNs = nanoseconds(stats.accessed);
    this.mtimeNs = nanoseconds(stats.modified);
    this.ctimeNs = nanoseconds(stats.changed);
    this.birthtimeNs = nanoseconds(stats.born);
  }

  get atimeMs(): bigint {
    return this.atimeNs / 1_000_000n;
  }

  get mtimeMs(): bigint {
    return this.mtimeNs / 1_000_000n;
  }

  get ctimeMs(): bigint {
    return this.ctimeNs / 1_000_000n;
  }

  get birthtimeMs(): bigint {
    return this.birthtimeNs / 1_000_000n;
  }

  get atime(): Date {
    return date(Number(this.atimeMs));
  }

  get mtime(): Date {
    return date(Number(this.mtimeMs));
  }

  get ctime(): Date {
    return date(Number(this.ctimeMs));
  }

  get birthtime(): Date {
    return date(Number(this.birthtimeMs));
  }
}

function nanoseconds({ seconds, nanoseconds }: Timestamp): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
}
