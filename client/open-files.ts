/** The files that a program has open. Those that it has forgotten are forgotten here too. */
import type { FsError } from '../shared/errno.ts';
import type { File } from './file.ts';

export class OpenFiles implements Iterable<File> {
  readonly #references = new Set<WeakRef<File>>();

  /** @param closed runs when it was given back */
  add(file: File, closed: () => void): void {
    const reference = new WeakRef(file);
    this.#references.add(reference);
    file.onClosed(() => {
      this.#references.delete(reference);
      closed();
    });
  }

  *[Symbol.iterator](): Generator<File> {
    for (const reference of this.#references) {
      const file = reference.deref();
      if (file) yield file;
    }
  }

  /** Nothing can be done with any of them any more. @returns them */
  lose(error: FsError): readonly File[] {
    const files = [...this];
    this.#references.clear();
    for (const file of files) file.lose(error);
    return files;
  }
}
