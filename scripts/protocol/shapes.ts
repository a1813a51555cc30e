/** Types and fields of messages as Markdown, from their shapes. */
import type { Codec, Shape } from '../../shared/wire/codec.ts';
import { timestamp } from '../../shared/wire/codec.ts';
import * as values from '../../shared/wire/values.ts';

function isCodec(value: unknown): value is Codec<unknown> {
  return typeof value === 'object' && value !== null && 'shape' in value;
}

/** Shapes that have a name: several messages use them. */
const named = new Map<Shape, string>([[timestamp.shape, 'timestamp']]);
for (const [name, value] of Object.entries(values))
  if (isCodec(value)) named.set(value.shape, name);

/** e.g. `optional [layout](#layout)`, `list of at most 256 handle`: structs have a section. */
function typeText(shape: Shape): string {
  const name = named.get(shape);
  if (name === undefined) return ownText(shape);
  return shape.kind === 'struct' ? `[${name}](#${name.toLowerCase()})` : name;
}

/** The type in terms of the primitive encodings. */
function ownText(shape: Shape): string {
  switch (shape.kind) {
    case 'int':
      return boundOf(shape);
    case 'bytes':
      return shape.exact ? `byte[${shape.max}]` : `bytes, at most ${count(shape.max)}`;
    case 'text':
    case 'name':
      return `${shape.kind}, at most ${count(shape.max)}`;
    case 'choice':
      return `choice of ${shape.values.map((value, at) => `${at} ${value}`).join(', ')}`;
    case 'optional':
      return `optional ${typeText(shape.of)}`;
    case 'list':
      return `list of at most ${count(shape.max)} ${typeText(shape.of)}`;
    case 'bool':
    case 'struct':
      break;
  }
  return shape.kind;
}

function boundOf({ name, min, max }: Extract<Shape, { kind: 'int' }>): string {
  switch (name) {
    case 'u53':
      return max === Number.MAX_SAFE_INTEGER ? name : `${name}, at most ${count(max)}`;
    case 'nanoseconds':
      return `u32, ${min} to ${count(max)}`;
    default:
      return name;
  }
}

export function count(value: number): string {
  return value.toLocaleString('en').replaceAll(',', ' ');
}

/** A table of the fields of a struct; those of a struct without a name of its own below it. */
export function fieldTable(shape: Shape): string {
  return table(['field', 'type'], [...fieldRows(shape, '')]);
}

export function hasFields(shape: Shape): boolean {
  return !fieldRows(shape, '').next().done;
}

function* fieldRows(shape: Shape, prefix: string): Generator<readonly string[]> {
  if (shape.kind !== 'struct') return;
  for (const [name, field] of Object.entries(shape.fields)) {
    yield [`\`${prefix}${name}\``, typeText(field)];
    const { item, suffix } = itemOf(field);
    if (!named.has(item)) yield* fieldRows(item, `${prefix}${name}${suffix}.`);
  }
}

function itemOf(shape: Shape): { readonly item: Shape; readonly suffix: string } {
  if (shape.kind === 'list') return { item: shape.of, suffix: '[]' };
  return { item: shape.kind === 'optional' ? shape.of : shape, suffix: '' };
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map(tableRow).join('\n');
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** The named types that these shapes lead to: a table of the simple ones, a section each struct. */
export function namedTypes(shapes: readonly Shape[]): string {
  const used = new Set<Shape>();
  const visit = (shape: Shape): void => {
    if (named.has(shape)) used.add(shape);
    if (shape.kind === 'struct') Object.values(shape.fields).forEach(visit);
    if (shape.kind === 'list' || shape.kind === 'optional') visit(shape.of);
  };
  shapes.forEach(visit);
  const types = [...named]
    .filter(([shape]) => used.has(shape))
    .toSorted(([, a], [, b]) => (a < b ? -1 : 1));
  const simple = types.filter(([{ kind }]) => kind !== 'struct');
  const structs = types.filter(([{ kind }]) => kind === 'struct');
  return [
    table(
      ['type', 'is'],
      simple.map(([shape, name]) => [name, ownText(shape)]),
    ),
    ...structs.map(([shape, name]) => `### ${name}\n\n${fieldTable(shape)}`),
  ].join('\n\n');
}
