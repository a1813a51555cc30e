/** The file browser: what is in a directory, where its bytes are, and files in and out. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { toFsError } from '../../../shared/errno.ts';
import type { PageFileSystem } from '../../browser/connect.ts';
import type { Dirent } from '../../stats.ts';
import { counted } from '../../../shared/figures.ts';
import type { ViewProps } from '../watch.ts';
import { commands } from '../model/commands.ts';
import { childOf, stepsTo } from '../model/paths.ts';
import { Command } from './command.tsx';
import { Listing } from './listing.tsx';
import { type MappedFile, Stripes } from './stripes.tsx';
import { Transfers, useTransfers } from './transfers.tsx';

const betweenLooksMs = 2000;

export function Files({ fs, self, picture }: ViewProps) {
  const [path, setPath] = useState('/');
  const [mapped, setMapped] = useMap(fs);
  const { entries, failure, isComplete, refresh } = useEntries(fs, path);
  const transfers = useTransfers(fs, refresh);
  const mayWrite = !self.readOnly;
  const go = (to: string): void => {
    setMapped(undefined);
    setPath(to);
  };
  return (
    <div
      class="files"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        if (mayWrite) transfers.upload(path, [...(event.dataTransfer?.files ?? [])]);
      }}
    >
      <Steps path={path} go={go} />
      {failure !== '' && <p role="alert">{failure}</p>}
      {mapped && (
        <Stripes
          file={mapped}
          members={picture.status.members}
          close={() => setMapped(undefined)}
        />
      )}
      {mayWrite ? (
        <Making path={path} fs={fs} made={refresh} upload={transfers.upload} />
      ) : (
        <p>
          This page may read only; <code>weft web --write</code> makes a link that may write.
        </p>
      )}
      <Transfers transfers={transfers} />
      <p role="status">
        {isComplete ? counted(entries.length, 'entry').replace('entrys', 'entries') : 'Listing …'}
      </p>
      <Listing
        entries={entries}
        key={path}
        enter={(name) => go(childOf(path, name))}
        download={(name) => transfers.download(childOf(path, name), name)}
        map={(name) => void mapOf(fs, childOf(path, name)).then(setMapped)}
      />
      <Command line={commands.list(path)} />
    </div>
  );
}

async function mapOf(fs: PageFileSystem, path: string): Promise<MappedFile | undefined> {
  const { size, layout, place } = await fs.stat(path);
  return layout && { path, size, layout, isAtMgr: place !== 'iods' };
}

/** A map that grows with its file for as long as it is shown; of one that is gone it stays. */
function useMap(fs: PageFileSystem) {
  const [mapped, setMapped] = useState<MappedFile>();
  useEffect(() => {
    if (mapped === undefined) return undefined;
    let isOver = false;
    const timer = setTimeout(() => {
      void mapOf(fs, mapped.path)
        .catch(() => mapped)
        .then((now) => isOver || setMapped(now && { ...now }));
    }, betweenLooksMs);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [fs, mapped]);
  return [mapped, setMapped] as const;
}

function Steps({ path, go }: { readonly path: string; readonly go: (path: string) => void }) {
  return (
    <nav aria-label="Directory" class="steps">
      {stepsTo(path).map((step) => (
        <button
          key={step.path}
          type="button"
          class="link"
          aria-current={step.path === path ? 'location' : undefined}
          onClick={() => go(step.path)}
        >
          {step.name}
        </button>
      ))}
    </nav>
  );
}

function Making(props: {
  readonly path: string;
  readonly fs: PageFileSystem;
  readonly made: () => void;
  readonly upload: (directory: string, files: readonly File[]) => void;
}) {
  const { path, fs, made, upload } = props;
  const [name, setName] = useState('');
  const [failure, setFailure] = useState('');
  const make = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await fs.mkdir(childOf(path, name));
      setName('');
      setFailure('');
      made();
    } catch (error) {
      setFailure(toFsError(error).message);
    }
  };
  return (
    <section aria-label="Add" class="making">
      <label class="drop">
        Drop files here, or choose them:{' '}
        <input
          type="file"
          multiple
          onChange={({ currentTarget }) => {
            upload(path, [...(currentTarget.files ?? [])]);
            currentTarget.value = '';
          }}
        />
      </label>
      <form onSubmit={(event) => void make(event)}>
        <label>
          New directory:{' '}
          <input
            required
            value={name}
            onInput={({ currentTarget }) => setName(currentTarget.value)}
          />
        </label>{' '}
        <button type="submit">Make</button>
      </form>
      {name !== '' && <Command line={commands.makeDirectory(childOf(path, name))} />}
      {failure !== '' && <p role="alert">{failure}</p>}
    </section>
  );
}

/** What is in a directory, by name, as it comes. */
function useEntries(fs: PageFileSystem, path: string) {
  const [entries, setEntries] = useState<readonly Dirent[]>([]);
  const [failure, setFailure] = useState('');
  const [isComplete, setComplete] = useState(false);
  const turn = useRef(0);
  const refresh = useCallback(async () => {
    const mine = ++turn.current;
    setComplete(false);
    const found: Dirent[] = [];
    let why = '';
    try {
      const directory = fs.opendir(path, { attributes: true });
      for await (const page of directory.pages()) found.push(...page);
    } catch (error) {
      why = toFsError(error).message;
    }
    if (mine !== turn.current) return;
    setEntries(found.toSorted((a, b) => collator.compare(a.name, b.name)));
    setFailure(why);
    setComplete(true);
  }, [fs, path]);
  useEffect(() => {
    void refresh();
  }, [refresh]);
  return { entries, failure, isComplete, refresh: () => void refresh() };
}

const collator = new Intl.Collator('en', { numeric: true });
