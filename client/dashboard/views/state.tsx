/** The state of a daemon: a word, and a colour that is never alone. */
const grades: Readonly<Record<string, string>> = {
  serving: 'good',
  active: 'good',
  recovered: 'good',
  absent: 'bad',
  evicted: 'bad',
  interrupted: 'bad',
  unreachable: 'bad',
};

/** @param isOld as it was when it was known last */
export function State({ word, isOld }: { readonly word: string; readonly isOld?: boolean }) {
  return <span class={`badge ${isOld ? 'note' : (grades[word] ?? 'warning')}`}>{word}</span>;
}
