import { limits } from '../../shared/limits.ts';
import type { clusterOps } from '../../shared/wire/cluster-ops.ts';
import type { ReplyOf, RequestOf } from '../../shared/wire/op.ts';
import type { OpenTable } from '../open-table.ts';
import type { MetaStore } from '../store/meta-store.ts';
import type { Inode } from '../store/rows.ts';

type ListFiles = typeof clusterOps.listFiles;

/** A page of the files with bytes, as they were at the last commit; sizes are the stored ones. */
export function listFiles(
  store: Pick<MetaStore, 'files'>,
  openTable: Pick<OpenTable, 'holdersOf'>,
  { after }: RequestOf<ListFiles>,
): ReplyOf<ListFiles> {
  const page = store.files(after, limits.objectsPerListPage);
  return {
    files: page.filter(hasLayout).map(({ handle, layout, size, links, place }) => ({
      handle,
      layout,
      size,
      links,
      place,
      opens: openTable.holdersOf(handle),
    })),
    done: page.length < limits.objectsPerListPage,
  };
}

function hasLayout(inode: Inode): inode is Inode & { layout: NonNullable<Inode['layout']> } {
  return inode.layout !== undefined;
}
