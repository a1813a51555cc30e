/** What pages import: `weftfs/browser`, built into one file. Nothing but names from elsewhere. */
export type { TimeLike } from '../attributes.ts';
export { connect, type PageConnectOptions, type PageFileSystem } from './connect.ts';
export type { Control } from '../control.ts';
export type { Directory, DirectoryOptions } from '../directory.ts';
export type { File } from '../file.ts';
export type { ClusterStatus, OpenOptions, SpaceInfo } from '../file-system.ts';
export type { OpenMode } from '../open-flags.ts';
export type { PathLike } from '../path.ts';
export type { RecoveryEvent, RecoveryListener } from '../recovery-watch.ts';
export type { Dirent, Stats } from '../stats.ts';
export { FsError, isFsError } from '../../shared/errno.ts';
export type { Layout } from '../../shared/stripe.ts';
export type { Timestamp } from '../../shared/units.ts';
