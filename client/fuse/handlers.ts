/** All operations of a mount in one table: forgetting one does not compile. */
import { attributeHandlers } from './operations/attributes.ts';
import { directoryHandlers } from './operations/directories.ts';
import { fileHandlers } from './operations/files.ts';
import { nameHandlers } from './operations/names.ts';
import { rangeHandlers } from './operations/ranges.ts';
import { seekHandlers } from './operations/seeks.ts';
import { xattrHandlers } from './operations/xattrs.ts';
import type { Handlers } from './volume.ts';

export const handlers: Handlers = {
  ...attributeHandlers,
  ...directoryHandlers,
  ...fileHandlers,
  ...nameHandlers,
  ...rangeHandlers,
  ...seekHandlers,
  ...xattrHandlers,
};
