/** Calls of a `node:fs`, and what came of them in a form that two file systems can share. */
import type * as Fs from 'node:fs';
import { promisify } from 'node:util';
import type { NodeFs } from '../../../client/index.ts';

export type AnyFs = typeof Fs | NodeFs;

/** A path below the root of whichever file system. */
export class Below {
  readonly path: string;
  readonly inBytes: boolean;

  constructor(path: string, inBytes = false) {
    this.path = path;
    this.inBytes = inBytes;
  }

  at(root: string): string | Buffer {
    const path = `${root}/${this.path}`;
    return this.inBytes ? Buffer.from(path) : path;
  }
}

export interface Call {
  readonly style: 'promises' | 'callbacks';
  readonly method: string;
  readonly args: readonly unknown[];
}

/** The words of messages are those of one version of Node. */
export const comparesMessages = process.versions.node.startsWith('20.');

type Method = (...args: readonly unknown[]) => unknown;

/** Its result or its failure, the root of the file system as `ROOT`. */
export async function outcomeOf(fs: AnyFs, root: string, call: Call): Promise<unknown> {
  const { style, method, args } = call;
  const given = args.map((arg) => (arg instanceof Below ? arg.at(root) : arg));
  return settled(root, method, async () => {
    const from = (style === 'promises' ? fs.promises : fs) as unknown as Record<string, Method>;
    const run = from[method];
    if (run === undefined) throw new Error(`no ${method}`);
    const result = await (style === 'promises'
      ? run.apply(from, given)
      : (promisify(run) as Method)(...given));
    if (method === 'mkdtemp') await fs.promises.rmdir(String(result));
    return result;
  });
}

export async function settled(
  root: string,
  method: string,
  run: () => Promise<unknown>,
): Promise<unknown> {
  const hide = (text: string): string => {
    const hidden = text.replaceAll(root, 'ROOT');
    return method === 'mkdtemp' ? hidden.replace(/[\w]{6}('|$)/, 'XXXXXX$1') : hidden;
  };
  try {
    return await shown(await run(), hide);
  } catch (error) {
    return failureOf(error, hide);
  }
}

export function failureOf(error: unknown, hide: (text: string) => string): unknown {
  const { code, syscall, path, dest, message, name } = error as NodeJS.ErrnoException & {
    dest?: string;
  };
  const shownPath = path === undefined ? undefined : hide(path);
  const shownDest = dest === undefined ? undefined : hide(dest);
  // Ours tell of themselves by their name, Node's do not.
  const kind = name === 'FsError' ? 'Error' : name;
  const failure = { failed: code ?? message, kind, syscall, path: shownPath, dest: shownDest };
  return comparesMessages ? { ...failure, message: hide(message) } : failure;
}

async function shown(value: unknown, hide: (text: string) => string): Promise<unknown> {
  if (typeof value === 'string') return hide(value);
  if (value instanceof Uint8Array) return hide(Buffer.from(value).toString('latin1'));
  if (Array.isArray(value)) {
    const all = await Promise.all(value.map((one) => shown(one, hide)));
    return all.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (typeof value !== 'object' || value === null) return value;
  if ('isFile' in value) return attributes(value as Fs.Dirent | Fs.Stats | Fs.BigIntStats, hide);
  if (Symbol.asyncIterator in value) {
    const all: unknown[] = [];
    for await (const one of value as AsyncIterable<unknown>) all.push(one);
    return shown(all, hide);
  }
  if ('bsize' in value) return Object.keys(value).toSorted();
  const fields = Object.entries(value).map(async ([key, field]) => [key, await shown(field, hide)]);
  return Object.fromEntries((await Promise.all(fields)) as [string, unknown][]);
}

const questions = [
  'isFile',
  'isDirectory',
  'isSymbolicLink',
  'isFIFO',
  'isSocket',
  'isBlockDevice',
  'isCharacterDevice',
] as const;

/** Those that two file systems must agree about: not how many links and bytes a directory has. */
function attributes(
  value: Fs.Dirent | Fs.Stats | Fs.BigIntStats,
  hide: (text: string) => string,
): unknown {
  const kinds = questions.filter((question) => value[question]());
  if ('name' in value) {
    const { name, parentPath, path } = value;
    const texts = [name, parentPath, path].map((text) => hide(Buffer.from(text).toString()));
    return { texts, kinds };
  }
  const { mode, uid, gid } = value;
  const common = { mode, uid, gid, kinds };
  return value.isFile() ? { ...common, size: value.size, nlink: value.nlink } : common;
}
