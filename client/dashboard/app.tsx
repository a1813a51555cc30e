/** The whole page: let in by a ticket, then one view at a time. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import { isFsError } from '../../shared/errno.ts';
import { errorCatalogue } from '../../shared/error-catalogue.ts';
import { connect, type PageFileSystem } from '../browser/connect.ts';
import type { Session } from '../mgr-session.ts';
import { findingsOfStatus, verdictOf } from '../../shared/health-findings.ts';
import { Activities } from './views/activities.tsx';
import { Clients } from './views/clients.tsx';
import { Files } from './views/files.tsx';
import { Overview } from './views/overview.tsx';
import { Recoveries } from './views/recoveries.tsx';
import { ClusterWatch, type Picture, type ViewProps } from './watch.ts';

const views = {
  overview: { title: 'Overview', View: Overview },
  activity: { title: 'Activity', View: Activities },
  files: { title: 'Files', View: Files },
  clients: { title: 'Clients', View: Clients },
  recoveries: { title: 'Recoveries', View: Recoveries },
} as const;
type ViewName = keyof typeof views;

export function App({ ticket }: { readonly ticket: string }) {
  const [entry, setEntry] = useState<Entry>({ kind: 'coming' });
  useEffect(() => {
    void enter(ticket).then(setEntry);
  }, [ticket]);
  const leave = useCallback(
    () => setEntry({ kind: 'out', why: 'The session of this page has ended at the mgr.' }),
    [],
  );
  if (entry.kind === 'in') return <Inside {...entry} leave={leave} />;
  return (
    <main class="door">
      <h1>weftfs</h1>
      {entry.kind === 'coming' ? (
        <p role="status">Connecting to the mgr …</p>
      ) : (
        <div role="alert">
          <p>{entry.why}</p>
          <p>
            A link lets one in once. Make a new one: <code>weft web</code>
          </p>
        </div>
      )}
    </main>
  );
}

type Entry =
  | { readonly kind: 'coming' }
  | { readonly kind: 'in'; readonly fs: PageFileSystem; readonly self: Session }
  | { readonly kind: 'out'; readonly why: string };

async function enter(ticket: string): Promise<Entry> {
  if (!ticket.includes('.')) return { kind: 'out', why: 'This page is entered by a link.' };
  try {
    const fs = await connect(`ws://${location.host}`, { ticket, name: 'dashboard' });
    return { kind: 'in', fs, self: fs.session.session };
  } catch (error) {
    return { kind: 'out', why: `Not let in: ${whyNot(error)}.` };
  }
}

function whyNot(error: unknown): string {
  if (!isFsError(error)) return String(error);
  const { weftCode, what, message } = error;
  return what ?? (weftCode === undefined ? message : errorCatalogue[weftCode].what);
}

function Inside(props: Omit<ViewProps, 'picture'> & { readonly leave: () => void }) {
  const { fs, self, leave } = props;
  const [picture, setPicture] = useState<Picture>();
  const [name, go] = useView();
  useEffect(() => {
    const watch = new ClusterWatch(fs, { seen: setPicture, ended: leave });
    return () => watch.stop();
  }, [fs, leave]);
  const { View, title } = views[name];
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the view
      </a>
      <Head self={self} picture={picture} />
      <nav aria-label="Views">
        {Object.entries(views).map(([key, view]) => (
          <a
            key={key}
            href={`#${key}`}
            aria-current={key === name ? 'page' : undefined}
            onClick={() => go(key as ViewName)}
          >
            {view.title}
          </a>
        ))}
      </nav>
      <main id="main" tabIndex={-1} aria-label={title}>
        {picture === undefined ? (
          <p role="status">Asking the mgr …</p>
        ) : (
          <View fs={fs} self={self} picture={picture} />
        )}
      </main>
    </>
  );
}

/** Moves the focus, and leaves the address to the views. */
function skip(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('#main')?.focus();
}

function useView(): [ViewName, (name: ViewName) => void] {
  const [name, setName] = useState<ViewName>(viewInAddress);
  useEffect(() => {
    const moved = (): void => setName(viewInAddress());
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  return [name, setName];
}

function viewInAddress(): ViewName {
  const name = location.hash.slice(1);
  return name in views ? (name as ViewName) : 'overview';
}

const verdictWords = {
  healthy: ['good', 'healthy'],
  warnings: ['warning', 'warnings'],
  errors: ['bad', 'errors'],
} as const;

function Head(props: { readonly self: Session; readonly picture: Picture | undefined }) {
  const { self, picture } = props;
  const { readOnly, uid } = self;
  return (
    <header>
      <h1>weftfs</h1>
      {picture && <Verdict picture={picture} />}
      <span>
        {location.host}, {readOnly ? 'read only' : 'read and write'}, as user {uid}
      </span>
    </header>
  );
}

function Verdict({ picture: { silence, status } }: { readonly picture: Picture }) {
  const verdict = silence === undefined ? verdictOf(findingsOfStatus(status)) : 'errors';
  const [grade, word] = verdictWords[verdict];
  return (
    <strong class={`badge ${grade}`} role="status">
      {silence === undefined ? word : 'mgr unreachable'}
    </strong>
  );
}
