/** What has happened in the cluster, also before the page was opened. */
import { printable } from '../../observing/shown-text.ts';
import type { Picture } from '../watch.ts';
import { Command } from './command.tsx';

export function Events({ picture: { events } }: { readonly picture: Picture }) {
  return (
    <section aria-labelledby="events">
      <h2 id="events">Events</h2>
      {events.length === 0 ? (
        <p>None yet.</p>
      ) : (
        <div role="log" aria-live="polite">
          <ol class="events">
            {events.map(({ atMs, grade, text }, i) => (
              <li key={events.length - i}>
                <time>{new Date(atMs).toLocaleTimeString()}</time>{' '}
                <span class={`badge ${grade}`}>{grade}</span> {printable(text)}
              </li>
            ))}
          </ol>
        </div>
      )}
      <Command line="weft events --follow" />
    </section>
  );
}
