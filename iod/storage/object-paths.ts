/**
 * Where the object of a handle is: `objects/<handle / 65536>/<handle / 256 % 256>/<handle>`, the
 * directories in hexadecimal. Handles are given upward, so neighbours share a directory (and its
 * sync), a directory holds at most 256 of them, and a walk in order needs no sorting of the whole.
 */
import { join } from 'node:path';
import type { Handle } from '../../shared/units.ts';

const handlesPerDirectory = 256;
const directoriesPerGroup = 256;
const handlesPerGroup = handlesPerDirectory * directoriesPerGroup;

export function groupName(handle: Handle): string {
  return Math.floor(handle / handlesPerGroup).toString(16);
}

export function directoryName(handle: Handle): string {
  const directory = Math.floor(handle / handlesPerDirectory) % directoriesPerGroup;
  return directory.toString(16).padStart(2, '0');
}

export function objectDirectory(root: string, handle: Handle): string {
  return join(root, groupName(handle), directoryName(handle));
}

export function objectPath(root: string, handle: Handle): string {
  return join(objectDirectory(root, handle), String(handle));
}

/** The first handle of a group or directory, or the handle itself, by its place in the tree. */
export function firstHandle(place: readonly string[]): Handle {
  const [group = '0', directory = '0', object] = place;
  if (object !== undefined) return Number(object) as Handle;
  return (Number.parseInt(group, 16) * handlesPerGroup +
    Number.parseInt(directory, 16) * handlesPerDirectory) as Handle;
}

/** Whether this is a place where a group, a directory or an object belongs, and no other. */
export function isPlace(place: readonly string[]): boolean {
  const handle = firstHandle(place);
  if (!Number.isSafeInteger(handle) || handle < 0) return false;
  const names = [groupName(handle), directoryName(handle), String(handle)];
  return place.every((name, at) => name === names[at]);
}
