import test from 'ava';
import { checkMarkdownLinks } from '../../../scripts/check/markdown-links.ts';

const guide = [
  '# The guide',
  '## `weft up`, in short!',
  '## Twice',
  '## Twice',
  '```sh',
  '# a comment, no heading',
  '```',
].join('\n');

function findings(text: string): string[] {
  const tree = new Map([
    ['docs/page.md', text],
    ['docs/guide.md', guide],
    ['README.md', '# Read me\n'],
    ['mgr/store/rows.ts', ''],
  ]);
  return checkMarkdownLinks(tree).map(({ path, line, message }) => `${path}:${line}: ${message}`);
}

for (const link of [
  '[a](guide.md)',
  '[a](./guide.md#the-guide)',
  '[a](guide.md#weft-up-in-short) and [b](guide.md#twice-1)',
  '[a](../README.md "a title")',
  '[a](../mgr/store) [b](../mgr/) [c](..)',
  '[a](<guide.md>)',
  '# Here\n[a](#here)',
  '[a]: guide.md#twice',
  '[a](https://example.org/x.md) [b](mailto:me@example.org)',
  '`[a](nowhere.md)`',
  '```md\n[a](nowhere.md)\n```',
]) {
  test(`this leads somewhere: ${JSON.stringify(link)}`, (t) => {
    t.deepEqual(findings(link), []);
  });
}

for (const [link, message] of [
  ['[a](nowhere.md)', 'link to nowhere.md: there is no docs/nowhere.md'],
  ['[a](../page.md)', 'link to ../page.md: there is no page.md'],
  ['![a](image.svg)', 'link to image.svg: there is no docs/image.svg'],
  ['[a]: nowhere.md', 'link to nowhere.md: there is no docs/nowhere.md'],
  ['[a](guide.md#nowhere)', 'link to guide.md#nowhere: there is no such heading'],
  ['[a](guide.md#twice-2)', 'link to guide.md#twice-2: there is no such heading'],
  [
    '[a](guide.md#a-comment-no-heading)',
    'link to guide.md#a-comment-no-heading: there is no such heading',
  ],
  ['[a](#nowhere)', 'link to #nowhere: there is no such heading'],
] as const) {
  test(`this leads nowhere: ${link}`, (t) => {
    t.deepEqual(findings(`# Page\n\n\`\`\`\ncode\n\`\`\`\n${link}\n`), [
      `docs/page.md:6: ${message}`,
    ]);
  });
}
