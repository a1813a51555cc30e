/** What programs import: `import { connect } from 'weftfs'`. Nothing but names from elsewhere. */
export type { TimeLike } from './attributes.ts';
export { type ConnectOptions, userToken } from './connect.ts';
export type { Control } from './control.ts';
export type { Directory, DirectoryOptions } from './directory.ts';
export type { File } from './file.ts';
export type { ClusterStatus, FileSystem, OpenOptions, SpaceInfo } from './file-system.ts';
export { connect } from './node-fs/connect.ts';
export type { ConnectedFileSystem, NodeFs, NodePromises } from './node-fs/node-fs.ts';
export { countCalls } from './metrics.ts';
export type { OpenMode } from './open-flags.ts';
export type { PathLike } from './path.ts';
export type { RecoveryEvent, RecoveryListener } from './recovery-watch.ts';
export { saveTrace } from './save-trace.ts';
export type { Dirent, Stats } from './stats.ts';
export {
  readStream,
  type ReadStreamOptions,
  writeStream,
  type WriteStreamOptions,
} from './streams.ts';
export { FsError, isFsError } from '../shared/errno.ts';
export type { Layout } from '../shared/stripe.ts';
export type { Timestamp } from '../shared/units.ts';
