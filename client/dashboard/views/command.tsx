/** The command that does the same. */
export function Command({ line }: { readonly line: string }) {
  return (
    <p class="command">
      <span>As a command: </span>
      <code tabIndex={0} aria-label={`as a command: ${line}`}>
        {line}
      </code>
    </p>
  );
}
