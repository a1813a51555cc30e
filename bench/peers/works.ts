/** The work that every system does, and in which unit it is counted: of all, more is better. Pure. */

export const works = [
  { name: 'write', title: 'write a new file, calls of 1 MiB', unit: 'MB/s' },
  { name: 'read', title: 'read it, calls of 1 MiB', unit: 'MB/s' },
  { name: 'random read', title: 'random reads of 4 KiB in it', unit: '/s' },
  { name: 'copy', title: 'cp of it', unit: 'MB/s' },
  { name: 'create', title: 'create a file, write 4 KiB, close', unit: '/s' },
  { name: 'stat', title: 'stat', unit: '/s' },
  { name: 'list', title: 'ls -lR of these files', unit: '/s' },
  { name: 'unlink', title: 'unlink', unit: '/s' },
  { name: 'cycle', title: 'create, write 4 KiB, close, stat, unlink', unit: '/s' },
  { name: 'unpack', title: 'tar x of a source tree', unit: '/s' },
  { name: 'find', title: 'find in it with all attributes', unit: '/s' },
  { name: 'remove', title: 'rm -r of it', unit: '/s' },
] as const;

export type WorkName = (typeof works)[number]['name'];
