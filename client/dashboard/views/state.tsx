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

export function State({ word }: { readonly word: string }) {
  return <span class={`badge ${grades[word] ?? 'warning'}`}>{word}</span>;
}
