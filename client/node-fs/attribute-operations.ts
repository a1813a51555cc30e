/** Operations of `node:fs` on what a file is, not on what is in it. */
import { constants } from 'node:fs';
import type { SpaceInfo } from '../file-system.ts';
import type { Stats } from '../stats.ts';
import { modeOf, pathOf, smallModeOf, timeOf, wantsBigInt } from './arguments.ts';
import { BigIntStats } from './big-int-stats.ts';
import { checkInteger } from './checks.ts';
import { closingAfter, during } from './failures.ts';
import { handleOperations, userIdMax } from './handle-operations.ts';
import { notImplemented } from './node-errors.ts';
import type { Operation, Operations } from './operation.ts';
import { openFile } from './volume.ts';

function statOperation(call: 'stat' | 'lstat'): Operation {
  return ({ fs }, givenPath, options) => {
    const path = pathOf(givenPath);
    const shape = wantsBigInt(options)
      ? (stats: Stats): Stats | BigIntStats => new BigIntStats(stats)
      : (stats: Stats) => stats;
    return during({ syscall: call, path }, () => fs[call](path)).then(shape);
  };
}

function chownOperation(call: 'chown' | 'lchown'): Operation {
  return ({ fs }, givenPath, uid, gid) => {
    const path = pathOf(givenPath);
    checkInteger(uid, 'uid', -1, userIdMax);
    checkInteger(gid, 'gid', -1, userIdMax);
    return during({ syscall: call, path }, () => fs[call](path, uid, gid));
  };
}

function utimesOperation(call: 'utimes' | 'lutimes', syscall: string): Operation {
  return ({ fs }, givenPath, givenAccessed, givenModified) => {
    const path = pathOf(givenPath);
    const [accessed, modified] = [timeOf(givenAccessed), timeOf(givenModified)];
    return during({ syscall, path }, () => fs[call](path, accessed, modified));
  };
}

export const attributeOperations = {
  stat: statOperation('stat'),
  lstat: statOperation('lstat'),
  chown: chownOperation('chown'),
  lchown: chownOperation('lchown'),
  utimes: utimesOperation('utimes', 'utime'),
  lutimes: utimesOperation('lutimes', 'lutime'),

  access({ fs }, givenPath, givenMode) {
    const path = pathOf(givenPath);
    const mode = smallModeOf(givenMode);
    return during({ syscall: 'access', path }, () => fs.access(path, mode));
  },

  chmod({ fs }, givenPath, givenMode) {
    const path = pathOf(givenPath);
    const mode = modeOf(givenMode);
    return during({ syscall: 'chmod', path }, () => fs.chmod(path, mode));
  },

  /** As in Node on Linux, where links have no mode of their own. */
  lchmod() {
    return Promise.reject(notImplemented('lchmod()'));
  },

  truncate(volume, givenPath, length = 0) {
    const path = pathOf(givenPath);
    const truncate = handleOperations.truncate(length);
    return openFile(volume, path, { flags: constants.O_RDWR }).then((open) =>
      closingAfter(open, () => truncate(open)),
    );
  },

  statfs({ fs }, givenPath, options) {
    const path = pathOf(givenPath);
    return during({ syscall: 'statfs', path }, async () => {
      const [space] = await Promise.all([fs.statfs(), fs.stat(path)]);
      return wantsBigInt(options) ? inBigInts(statFsOf(space)) : statFsOf(space);
    });
  },
} satisfies Operations;

const blockBytes = 4096;
/** There is no table of inodes that could be full, but programs expect a number. */
const freeFiles = 2 ** 32;

export interface StatFs {
  readonly type: number;
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
}

function statFsOf({ totalBytes, freeBytes, files }: SpaceInfo): StatFs {
  const free = Math.floor(freeBytes / blockBytes);
  return {
    type: 0x77656674,
    bsize: blockBytes,
    blocks: Math.floor(totalBytes / blockBytes),
    bfree: free,
    bavail: free,
    files: files + freeFiles,
    ffree: freeFiles,
  };
}

function inBigInts(numbers: StatFs): Record<string, bigint> {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, BigInt(value)]));
}
