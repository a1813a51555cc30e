/** A table with its heads, which scrolls where the page is too narrow for it. */
import type { ComponentChildren } from 'preact';

export function Table(props: {
  readonly heads: readonly string[];
  /** Rows. */
  readonly children: ComponentChildren;
}) {
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            {props.heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
  );
}
