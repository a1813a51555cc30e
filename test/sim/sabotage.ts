/** Defects that are put into a daemon, to see that they are found. */
import type { MetaStore } from '../../mgr/store/meta-store.ts';
import type { Mutation } from '../../mgr/store/rows.ts';

/** Some changes never reach the store. */
export function forgetting(
  isForgotten: (mutation: Mutation) => boolean,
): (store: MetaStore) => MetaStore {
  return (store) =>
    overriding(store, {
      commit: (mutations, generation) => {
        store.commit(
          mutations.filter((mutation) => !isForgotten(mutation)),
          generation,
        );
      },
    });
}

/** `target` with other methods; it may be a class with private fields. */
export function overriding<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(_, key) {
      const own: unknown = Reflect.get(methods, key) ?? Reflect.get(target, key, target);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}
