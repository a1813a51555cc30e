/** Goes through all objects in the order of their handles, a page at a time. */
import { join } from 'node:path';
import { isFsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Disk } from '../../shared/runtime/runtime.ts';
import type { Handle } from '../../shared/units.ts';
import { directoryName, firstHandle, groupName, isPlace, objectPath } from './object-paths.ts';
import type { ListedObject, ObjectPage } from './object-store.ts';

export interface ObjectWalkOptions {
  readonly disk: Disk;
  readonly root: string;
  /** Something lies where no object belongs; its path from the root, and why. */
  readonly onStray: (place: string, reason: string) => Promise<void>;
}

/** Objects looked at together. */
const statsAtOnce = 32;

export class ObjectWalk {
  readonly #options: ObjectWalkOptions;

  constructor(options: ObjectWalkOptions) {
    this.#options = options;
  }

  /** Cost: the directories from `after` to the end of the page, and the list of all groups. */
  async page(after: Handle): Promise<ObjectPage> {
    const objects: ListedObject[] = [];
    for await (const handles of this.#directories(after)) {
      for (let at = 0; at < handles.length; at += statsAtOnce) {
        const found = await Promise.all(
          handles.slice(at, at + statsAtOnce).map((handle) => this.#look(handle)),
        );
        for (const object of found) {
          if (object === undefined) continue;
          if (objects.length === limits.objectsPerListPage) return { objects, done: false };
          objects.push(object);
        }
      }
    }
    return { objects, done: true };
  }

  async count(): Promise<number> {
    let count = 0;
    for await (const handles of this.#directories(0 as Handle)) count += handles.length;
    return count;
  }

  /** The handles after `after`, in order, those of a directory together. */
  async *#directories(after: Handle): AsyncGenerator<Handle[]> {
    const [fromGroup, fromDirectory] = [groupName(after), directoryName(after)];
    for (const group of await this.#places([])) {
      if (firstHandle(group) < firstHandle([fromGroup])) continue;
      for (const directory of await this.#places(group)) {
        if (firstHandle(directory) < firstHandle([fromGroup, fromDirectory])) continue;
        const handles = (await this.#places(directory)).map(firstHandle);
        yield handles.filter((handle) => handle > after);
      }
    }
  }

  /** The places in a directory, in order; what is none is set aside. */
  async #places(parent: readonly string[]): Promise<string[][]> {
    const places: string[][] = [];
    for (const name of await this.#list(parent)) {
      const place = [...parent, name];
      if (isPlace(place)) places.push(place);
      else await this.#options.onStray(place.join('/'), 'its name is none that an object has');
    }
    return places.toSorted((a, b) => firstHandle(a) - firstHandle(b));
  }

  async #list(place: readonly string[]): Promise<string[]> {
    const { disk, root, onStray } = this.#options;
    try {
      return await disk.list(join(root, ...place));
    } catch (error) {
      if (!isFsError(error) || place.length === 0) throw error;
      if (error.code === 'ENOENT') return []; // removed since its parent was listed
      if (error.code !== 'ENOTDIR') throw error;
      await onStray(place.join('/'), 'it is a file where a directory of objects belongs');
      return [];
    }
  }

  async #look(handle: Handle): Promise<ListedObject | undefined> {
    const { disk, root, onStray } = this.#options;
    const path = objectPath(root, handle);
    const stat = await disk.stat(path);
    if (stat === undefined) return undefined;
    if (stat.kind !== 'file') {
      await onStray(path.slice(root.length + 1), `it is a ${stat.kind}, not a file`);
      return undefined;
    }
    const { sizeBytes, allocatedBytes, modified } = stat;
    return { handle, lengthBytes: sizeBytes, allocatedBytes, modified };
  }
}
