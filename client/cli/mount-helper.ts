/** How mount(8) and fstab(5) speak of a mount of ours. Pure. */
import { UsageError } from './arguments.ts';

/** Of fstab(5) and mount(8) alone; `x-` and `comment=` too. They mean nothing to a file system. */
const notForUs = new Set([
  'defaults',
  'auto',
  'noauto',
  'nofail',
  '_netdev',
  'user',
  'nouser',
  'users',
]);
/** Ours: each is an option of `weft mount`. */
const own = ['timeout', 'key', 'log', 'metrics'] as const;

/**
 * What `mount.weft` was called with, as mount(8) calls its helpers: `SPEC DIR [-sfnv] [-o OPTIONS]`.
 * @returns words for `weft`; `undefined` when nothing is to be mounted (`-f`)
 * @throws UsageError
 */
export function helperWords(args: readonly string[]): readonly string[] | undefined {
  const operands: string[] = [];
  const options: string[] = [];
  let isFake = false;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    if (arg === '-o') options.push(...(args[++i] ?? '').split(','));
    else if (arg === '-t' || arg === '-N') i++;
    else if (!arg.startsWith('-')) operands.push(arg);
    else isFake ||= arg.includes('f');
  }
  const [url, directory, ...more] = operands;
  if (url === undefined || directory === undefined || more.length > 0) {
    throw new UsageError('mount.weft takes a URL and a directory', 'weft mount DIR, with WEFT_URL');
  }
  if (isFake) return undefined;
  return ['mount', directory, '--url', url, ...optionWords(options)];
}

function optionWords(options: readonly string[]): readonly string[] {
  const words: string[] = [];
  const others: string[] = [];
  for (const option of options) {
    const [name = '', ...value] = option.split('=');
    if (own.some((one) => one === name)) words.push(`--${name}`, value.join('='));
    else if (!isNotForUs(name)) others.push(option);
  }
  return others.length === 0 ? words : [...words, '--options', others.join(',')];
}

function isNotForUs(name: string): boolean {
  return name === '' || name === 'comment' || name.startsWith('x-') || notForUs.has(name);
}

export interface FstabWish {
  readonly url: string;
  readonly directory: string;
  readonly timeout: string | undefined;
  readonly metrics?: string | undefined;
  /** Of mount(8), with commas. */
  readonly options: string | undefined;
}

/** A line of fstab(5). A host whose cluster is away starts all the same. */
export function fstabLine({ url, directory, timeout, metrics, options }: FstabWish): string {
  const all = ['_netdev', 'nofail'];
  if (timeout !== undefined) all.push(`timeout=${timeout}`);
  if (metrics !== undefined) all.push(`metrics=${metrics}`);
  if (options !== undefined) all.push(options);
  return [url, directory, 'weft', all.join(','), '0', '0'].map(escaped).join(' ');
}

/** What separates fields, and what escapes, in octal. */
function escaped(field: string): string {
  return field.replace(/[ \t\n\\]/g, (char) => {
    return `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`;
  });
}
