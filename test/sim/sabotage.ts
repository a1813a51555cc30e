/** Defects that are put into a daemon, to see that they are found. */
import type { MetaStore } from '../../mgr/store/meta-store.ts';
import type { Mutation } from '../../mgr/store/rows.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';

/** Some changes never reach the store. */
export function forgetting(
  isForgotten: (mutation: Mutation) => boolean,
): (store: MetaStore) => MetaStore {
  return (store) =>
    overriding(store, {
      commit: (mutations, generation, waits) => {
        const kept = mutations.filter((mutation) => !isForgotten(mutation));
        store.commit(kept, generation, waits);
      },
    });
}

/** Reports a sync of an object that has not taken place. */
export function withoutSync(runtime: Runtime): Runtime {
  return withFiles(runtime, (file) => ({ ...file, sync: () => file.stat().then(() => undefined) }));
}

/** Of every twentieth write only the report is true. */
export function losingWrites(runtime: Runtime): Runtime {
  let writes = 0;
  return withFiles(runtime, (file) => ({
    ...file,
    write: (from, position) =>
      ++writes % 20 === 0 ? file.stat().then(() => undefined) : file.write(from, position),
  }));
}

type DiskFile = Awaited<ReturnType<Runtime['disk']['open']>>;

function withFiles(runtime: Runtime, change: (file: DiskFile) => DiskFile): Runtime {
  const { disk } = runtime;
  const open: typeof disk.open = async (path, mode) => {
    const file = await disk.open(path, mode);
    if (!path.includes('/objects/')) return file;
    return change({
      read: (into, position) => file.read(into, position),
      write: (from, position) => file.write(from, position),
      truncate: (lengthBytes) => file.truncate(lengthBytes),
      stat: () => file.stat(),
      sync: () => file.sync(),
      close: () => file.close(),
    });
  };
  return { ...runtime, disk: overriding(disk, { open }) };
}

/** `target` with other methods; it may be a class with private fields. */
export function overriding<T extends object>(target: T, methods: Partial<T>): T {
  const bound = new Map<PropertyKey, unknown>();
  return new Proxy(target, {
    get(_, key) {
      const known = bound.get(key);
      if (known !== undefined) return known;
      const own: unknown = Reflect.get(methods, key) ?? Reflect.get(target, key, target);
      if (typeof own !== 'function') return own;
      const made: unknown = own.bind(target);
      bound.set(key, made);
      return made;
    },
  });
}
