/** Lines over time, with a legend that says the latest values to whoever cannot see them. */
import { humanDuration } from '../../../shared/figures.ts';
import { secondsBetweenPoints } from '../model/activity.ts';
import { niceTop, pathOf } from '../model/chart.ts';

export interface Line {
  readonly name: string;
  readonly values: readonly (number | undefined)[];
}

const width = 640;
const height = 140;
const dashes = ['none', '6 3', '2 3', '10 3 2 3'] as const;
const colors = 6;
const placesMin = 30;

export function Chart(props: {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
}) {
  const { title, lines, format } = props;
  const top = niceTop(lines.flatMap(({ values }) => values));
  const latest = lines.map(({ name, values }) => {
    const value = values.at(-1);
    return `${name} ${value === undefined ? '-' : format(value)}`;
  });
  // The first points have room; more of them share it.
  const places = Math.max(placesMin, ...lines.map(({ values }) => values.length));
  const frame = { width, height, places, top };
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <div class="chart">
        <div class="scale" aria-hidden="true">
          <span>{format(top)}</span>
          <span>{format(top / 2)}</span>
          <span>0</span>
        </div>
        <svg
          viewBox={`0 0 ${width} ${height}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${title}, up to ${format(top)}. Now: ${latest.join(', ')}`}
        >
          {[0, 0.5, 1].map((at) => (
            <line key={at} class="grid" x1="0" x2={width} y1={at * height} y2={at * height} />
          ))}
          {lines.map(({ name, values }, i) => (
            <path
              key={name}
              class={`line color${i % colors}`}
              stroke-dasharray={dashes[Math.floor(i / colors) % dashes.length]}
              d={pathOf(values, frame)}
            />
          ))}
        </svg>
      </div>
      <div class="span" aria-hidden="true">
        <span>{humanDuration((places - 1) * secondsBetweenPoints)} ago</span>
        <span>now</span>
      </div>
      <ul class="legend">
        {latest.map((text, i) => (
          <li key={lines[i]?.name}>
            <i class={`swatch color${i % colors}`} aria-hidden="true" /> {text}
          </li>
        ))}
      </ul>
    </figure>
  );
}
