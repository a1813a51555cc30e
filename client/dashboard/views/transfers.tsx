/** Files on their way, with the commands that would have done the same. */
import { useState } from 'preact/hooks';
import { toFsError } from '../../../shared/errno.ts';
import type { PageFileSystem } from '../../browser/connect.ts';
import { percent } from '../../../shared/figures.ts';
import { printable } from '../../observing/shown-text.ts';
import { commands } from '../model/commands.ts';
import { childOf } from '../model/paths.ts';
import { download, type Progress, save, upload } from '../transfer.ts';
import { Command } from './command.tsx';

interface Transfer {
  readonly number: number;
  readonly title: string;
  readonly command: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly outcome: string | undefined;
  /** Does it again, over what is there. */
  readonly replace: (() => void) | undefined;
}

/** Of the latest so many it is told how they went. */
const shownMax = 20;

export interface TransferList {
  readonly all: readonly Transfer[];
  readonly upload: (directory: string, files: readonly File[]) => void;
  readonly download: (path: string, name: string) => void;
}

/** @param changed something new is in a directory */
export function useTransfers(fs: PageFileSystem, changed: () => void): TransferList {
  const [all, setAll] = useState<readonly Transfer[]>([]);
  const run = async (
    about: Pick<Transfer, 'title' | 'command'>,
    move: (progress: Progress) => Promise<void>,
    replace?: () => void,
  ): Promise<void> => {
    const number = numbers++;
    const begun: Transfer = {
      ...about,
      number,
      doneBytes: 0,
      totalBytes: 0,
      outcome: undefined,
      replace: undefined,
    };
    setAll((before) => [begun, ...before].slice(0, shownMax));
    const change = (fields: Partial<Transfer>): void =>
      setAll((before) =>
        before.map((one) => (one.number === number ? { ...one, ...fields } : one)),
      );
    try {
      await move((doneBytes, totalBytes) => change({ doneBytes, totalBytes }));
      change({ outcome: 'done' });
    } catch (error) {
      const { code, message } = toFsError(error);
      change({ outcome: message, replace: code === 'EEXIST' ? replace : undefined });
    }
  };
  const put = async (directory: string, file: File, mode: 'w' | 'wx'): Promise<void> => {
    const path = childOf(directory, file.name);
    await run(
      { title: `upload ${file.name}`, command: commands.upload(file.name, path) },
      (progress) => upload(fs, file, { path, mode }, progress),
      () => void put(directory, file, 'w'),
    );
    changed();
  };
  return {
    all,
    upload(directory, files) {
      // One after the other: each uses all iods by itself.
      void files.reduce<Promise<void>>(
        (before, file) => before.then(() => put(directory, file, 'wx')),
        Promise.resolve(),
      );
    },
    download(path, name) {
      void run(
        { title: `download ${name}`, command: commands.download(path, name) },
        async (progress) => save(await download(fs, path, progress), name),
      );
    },
  };
}

let numbers = 0;

export function Transfers({ transfers: { all } }: { readonly transfers: TransferList }) {
  if (all.length === 0) return null;
  return (
    <section aria-labelledby="transfers">
      <h2 id="transfers">Transfers</h2>
      <ul class="transfers">
        {all.map(({ number, title, command, doneBytes, totalBytes, outcome, replace }) => (
          <li key={number}>
            <span role="status">
              {printable(title)}: {outcome ?? percent(doneBytes, totalBytes)}
            </span>{' '}
            {outcome === undefined && totalBytes > 0 && (
              <progress value={doneBytes} max={totalBytes} aria-label={title} />
            )}
            {replace !== undefined && (
              <button type="button" onClick={replace}>
                Replace it
              </button>
            )}
            <Command line={command} />
          </li>
        ))}
      </ul>
    </section>
  );
}
