/** What a tidy house has besides walls: telling names, no dead files, nothing of one machine. */
import { type Finding, importsOf, isSource, lineAt, type SourceTree } from './source-tree.ts';

export function checkTidiness(tree: SourceTree): Finding[] {
  return [...checkNames(tree), ...checkDeadFiles(tree), ...checkContents(tree)];
}

const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const tellsNothing = /^(utils?|helpers?|common|misc|types)$/;

function checkNames(tree: SourceTree): Finding[] {
  return [...tree.keys()].filter(isSource).flatMap((path) => {
    const words = path.replace(/(\.test|\.config)?\.[a-z]+$/, '').split('/');
    return words.flatMap((word) => {
      if (tellsNothing.test(word)) {
        return [{ path, line: 1, message: `'${word}' does not tell what is inside` }];
      }
      return kebabCase.test(word) ? [] : [{ path, line: 1, message: `'${word}' is no kebab-case` }];
    });
  });
}

/** Started or configured by somebody outside, or the public interface. */
const entryPoint =
  /(^|\/)main\.tsx?$|^client\/(sync\/)?index\.ts$|^client\/sync\/worker\.ts$|^scripts\/[^/]+$|^bench\/([^/]+|.+-process\.ts)$|^(examples|test)\/|^[^/]+$/;

/** A file that only its own test imports is dead too. */
function checkDeadFiles(tree: SourceTree): Finding[] {
  const used = new Set(
    [...tree]
      .filter(([path]) => isSource(path) && !path.startsWith('test/'))
      .flatMap(([path, text]) =>
        importsOf(path, text).flatMap(({ target }) => (target === path ? [] : [target])),
      ),
  );
  return [...tree.keys()]
    .filter((path) => isSource(path) && !entryPoint.test(path) && !used.has(path))
    .map((path) => ({ path, line: 1, message: 'dead: nothing but tests imports this file' }));
}

const forbidden = [
  {
    pattern: /(?<![\w.~}])\/(?:home|work|root|Users)\//g,
    where: () => true,
    message: 'a path of one machine; use one relative to the file, or a temporary directory',
  },
  {
    pattern: /\bMath\.random\b/g,
    where: (path: string) =>
      isSource(path) && !/^(shared\/runtime\/(node|browser)\b|scripts\/check\/|bench\/)/.test(path),
    message: 'Math.random outside shared/runtime; take Runtime.random',
  },
];

function checkContents(tree: SourceTree): Finding[] {
  return [...tree].flatMap(([path, text]) =>
    forbidden
      .filter(({ where }) => where(path))
      .flatMap(({ pattern, message }) =>
        [...text.matchAll(pattern)].map(({ index }) => ({
          path,
          line: lineAt(text, index),
          message,
        })),
      ),
  );
}
