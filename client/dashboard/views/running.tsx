/** Who is away, and recoveries that run. */
import type { ClusterStatus } from '../../file-system.ts';
import { printable } from '../../observing/shown-text.ts';
import { runningRecoveries } from '../model/progress.ts';

/** Live, with what is known of how long it may take. */
export function Running({ status }: { readonly status: ClusterStatus }) {
  const running = runningRecoveries(status);
  if (running.length === 0) return null;
  return (
    <section aria-labelledby="running" class="running">
      <h2 id="running">Away or recovering</h2>
      <ul>
        {running.map(({ daemon, text, done, total, left }) => (
          <li key={daemon}>
            <strong>{printable(daemon)}</strong>: {text}{' '}
            {total > 0 && (
              <progress value={done} max={total} aria-label={`progress of ${daemon}`}>
                {done} of {total}
              </progress>
            )}
            {left !== undefined && <span class="left"> at most {left} left</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}
