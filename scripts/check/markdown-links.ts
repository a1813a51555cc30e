/** Every relative link of every Markdown file leads to a file and, after a `#`, to a heading. */
import { posix } from 'node:path';
import { type Finding, lineAt, type SourceTree } from './source-tree.ts';

export function checkMarkdownLinks(tree: SourceTree): Finding[] {
  const folders = new Set([...tree.keys()].flatMap(foldersAbove));
  return [...tree].flatMap(([path, source]) => {
    if (!path.endsWith('.md')) return [];
    const text = withoutCode(source);
    return [...text.matchAll(/\]\(\s*<?([^\s<>)]+)>?(?:\s+"[^"]*")?\s*\)|^\[[^\]]+\]:\s*(\S+)/gm)]
      .map((match) => ({ link: match[1] ?? match[2] ?? '', line: lineAt(text, match.index) }))
      .filter(({ link }) => !/^[a-z][a-z0-9+.-]*:/i.test(link))
      .flatMap(({ link, line }) => {
        const [file = '', anchor] = link.split('#', 2);
        const target = file === '' ? path : posix.join(posix.dirname(path), file);
        if (!tree.has(target) && !folders.has(target.replace(/\/$/, ''))) {
          return [{ path, line, message: `link to ${link}: there is no ${target}` }];
        }
        const lost = anchor !== undefined && !anchorsOf(tree.get(target) ?? '').has(anchor);
        return lost ? [{ path, line, message: `link to ${link}: there is no such heading` }] : [];
      });
  });
}

function foldersAbove(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, count) => parts.slice(0, count).join('/') || '.');
}

/** Code cut out, line ends kept. */
function withoutCode(text: string): string {
  return text
    .replace(/^(```+|~~~+)[^\n]*\n.*?^\1[^\n]*$/gms, (code) => code.replace(/[^\n]+/g, ''))
    .replace(/`[^`\n]*`/g, (code) => ' '.repeat(code.length));
}

/** Anchors as code hosts make them of headings: lower case, words joined by hyphens. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  const headings = markdown
    .replace(/^(```+|~~~+)[^\n]*\n.*?^\1[^\n]*$/gms, '')
    .matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm);
  for (const [, heading = ''] of headings) {
    const anchor = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let unique = anchor;
    for (let again = 1; anchors.has(unique); again++) unique = `${anchor}-${again}`;
    anchors.add(unique);
  }
  return anchors;
}
