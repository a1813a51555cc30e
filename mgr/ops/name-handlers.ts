/** Every operation on names that needs no iod. Total: forgetting one does not compile. */
import type { nameOps } from '../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../shared/wire/op.ts';
import type { NameHandler } from './name-context.ts';
import { access } from './names/access.ts';
import { getAttr } from './names/get-attr.ts';
import { link } from './names/link.ts';
import { lookup } from './names/lookup.ts';
import { makeNode } from './names/make-node.ts';
import { readDirectory } from './names/read-directory.ts';
import { readLink } from './names/read-link.ts';
import { removeDirectory } from './names/remove-directory.ts';
import { rename } from './names/rename.ts';
import { setAttr } from './names/set-attr.ts';
import { setDefaults } from './names/set-defaults.ts';
import { symlink } from './names/symlink.ts';
import { unlink } from './names/unlink.ts';
import { getXattr, listXattrs, removeXattr, setXattr } from './names/xattrs.ts';

/** Of `statFs` only the members know the space, and handles have no names yet. */
type PureNameOps = Omit<typeof nameOps, 'statFs' | 'takeHandles'>;

export const nameHandlers = {
  lookup,
  getAttr,
  storedAttr: getAttr,
  setAttr,
  access,
  readLink,
  readDirectory,
  makeNode,
  symlink,
  link,
  unlink,
  removeDirectory,
  rename,
  getXattr,
  listXattrs,
  setXattr,
  removeXattr,
  setDefaults,
} satisfies {
  readonly [K in keyof PureNameOps]: NameHandler<
    RequestOf<PureNameOps[K]>,
    ReplyOf<PureNameOps[K]>
  >;
};
