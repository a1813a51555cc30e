/** The text of docs/PROTOCOL.md: what derives from the message definitions, and the frame around it. */
import { errorCatalogue } from '../../shared/error-catalogue.ts';
import { type Errno, errnos, FsError, remedyOf } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Shape } from '../../shared/wire/codec.ts';
import { failureCodec } from '../../shared/wire/envelope.ts';
import { clientOps } from '../../shared/wire/client-ops.ts';
import { iodOps } from '../../shared/wire/iod-ops.ts';
import { linkOps } from '../../shared/wire/link-ops.ts';
import { mgrOps, openFlags, renameFlags } from '../../shared/wire/mgr-ops.ts';
import type { Op, OpTable, Traits } from '../../shared/wire/op.ts';
import { rights } from '../../shared/wire/values.ts';
import { connectionText, encodingText, envelopeText, keysText } from './prose.ts';
import { count, fieldTable, hasFields, namedTypes, table } from './shapes.ts';

const served: readonly { readonly title: string; readonly ops: OpTable }[] = [
  { title: 'Messages of every connection', ops: linkOps },
  { title: 'Messages to the mgr', ops: mgrOps },
  { title: 'Messages to an iod', ops: iodOps },
  { title: 'Messages to a client', ops: clientOps },
];

/** @returns the whole page */
export function protocolPage(): string {
  const shapes = served.flatMap(({ ops }) =>
    Object.values(ops).flatMap(({ request, reply }) => [request.shape, reply.shape]),
  );
  const sections = [
    '# The weftfs protocol',
    'Made from the message definitions in `shared/wire` by `scripts/protocol-doc.ts`: change those, not this page.',
    contents(),
    connectionText,
    envelopeText,
    encodingText,
    keysText,
    `## Types\n\nStructures and numbers that several messages use.`,
    namedTypes(shapes),
    bitsText(),
    ...served.flatMap(({ title, ops }) => [`## ${title}`, ...byCode(ops).map(messageText)]),
    failureText(),
    errnosText(),
    errorCodesText(),
    limitsText(),
  ];
  return `${sections.join('\n\n')}\n`;
}

function byCode(ops: OpTable): [name: string, op: Op][] {
  return Object.entries(ops).toSorted(([, a], [, b]) => a.code - b.code);
}

/** Heading of a message's section; `linkTo` leads there. */
function heading(name: string, { code }: Op): string {
  return `${code} ${name}`;
}

function linkTo(name: string, op: Op): string {
  return `[${name}](#${heading(name, op).toLowerCase().replace(' ', '-')})`;
}

function contents(): string {
  return table(
    ['to', 'messages'],
    served.map(({ title, ops }) => [
      title,
      byCode(ops)
        .map(([name, op]) => linkTo(name, op))
        .join(' '),
    ]),
  );
}

function messageText([name, op]: readonly [string, Op]): string {
  return [
    `### ${heading(name, op)}`,
    synopsis(name, op),
    op.about,
    traitsText(op),
    fieldsText('Request', op.request.shape),
    fieldsText('Reply', op.reply.shape),
  ].join('\n\n');
}

function fieldsText(title: string, shape: Shape): string {
  return hasFields(shape) ? `**${title}**\n\n${fieldTable(shape)}` : `**${title}**: no fields.`;
}

/** In the manner of man9: `read handle offset length -> length payload`. */
function synopsis(name: string, { request, reply, traits }: Op): string {
  const side = (which: Traits['payload'], shape: Shape): string[] => [
    ...(shape.kind === 'struct' ? Object.keys(shape.fields) : []),
    ...(traits.payload === which ? ['payload'] : []),
  ];
  const question = [name, ...side('request', request.shape)].join(' ');
  const answer = side('reply', reply.shape).join(' ');
  return `    ${question} -> ${answer || 'done'}`;
}

const resendTexts: Readonly<Record<Traits['resend'], string>> = {
  idempotent: 'sent again as it is',
  slot: 'sent again with its slot and sequence, and takes effect once',
  never: 'not sent again: its caller gets EPIPE',
};

function traitsText(op: Op): string {
  const { traits } = op;
  const rows = [
    ['sent by', traits.from.join(', ')],
    ['class', traits.class],
    ['when the reply is lost', resendTexts[traits.resend]],
  ];
  if (traits.payload) {
    rows.push([
      'payload',
      `with the ${traits.payload}, at most ${sizeText(limits.payloadBytesMax)}`,
    ]);
  }
  if (op.check) rows.push(['EINVAL', 'when its fields fit one by one but not together']);
  return rows.map(([what, value]) => `- ${what}: ${value}`).join('\n');
}

function bitsText(): string {
  const sets = {
    'Bits of `rights`': rights,
    'Bits of `flags` of open': openFlags,
    'Bits of `flags` of rename': renameFlags,
  };
  return Object.entries(sets)
    .map(([title, bits]) => {
      const rows = Object.entries<number>(bits).map(([name, bit]) => [String(bit), name]);
      return `### ${title}\n\n${table(['bit', 'meaning'], rows)}`;
    })
    .join('\n\n');
}

function failureText(): string {
  return [
    '## The failure reply',
    'A reply whose `status` is not 0 says why. `id` is one of the error codes below or empty; `what` names the particulars; `retryAfterMs` goes with EAGAIN; `bytesDone` tells how much was stored or delivered before the failure.',
    fieldTable(failureCodec.shape),
  ].join('\n\n');
}

const remedyTexts = {
  none: 'is told to the caller',
  again: 'again after `retryAfterMs`, until the deadline',
  refresh: 'once more, after asking the mgr',
  resend: 'sent again on a new connection, if the message allows',
} as const;

function errnosText(): string {
  const rows = Object.entries(errnos)
    .toSorted(([, a], [, b]) => a - b)
    .map(([name, number]) => {
      const errno = name as Errno;
      const meaning = new FsError(errno).message.slice(`${errno}: `.length);
      return [String(number), errno, meaning, remedyTexts[remedyOf(errno)]];
    });
  return [
    '## Errnos',
    'Numbers of Linux, and one of Node. A number that is not known counts as EIO.',
    table(['status', 'errno', 'meaning', 'remedy'], rows),
  ].join('\n\n');
}

function errorCodesText(): string {
  const rows = Object.entries(errorCatalogue).map(([id, { what, effect, advice }]) => [
    `\`${id}\``,
    what,
    effect,
    advice,
  ]);
  return `## Error codes\n\n${table(['code', 'what', 'effect', 'advice'], rows)}`;
}

function limitsText(): string {
  const rows = Object.entries<number>(limits).map(([name, value]) => [
    `\`${name}\``,
    /Bytes/.test(name) ? sizeText(value) : count(value),
  ]);
  return [
    '## Limits',
    'Names end in their unit or in what they count. Whatever is beyond its limit is refused, never cut.',
    table(['limit', 'value'], rows),
  ].join('\n\n');
}

function sizeText(bytes: number): string {
  const KiB = 1024;
  if (bytes % (KiB * KiB) === 0) return `${bytes / KiB / KiB} MiB`;
  if (bytes % KiB === 0) return `${bytes / KiB} KiB`;
  return bytes === Number.MAX_SAFE_INTEGER ? '2^53 - 1 bytes' : `${count(bytes)} bytes`;
}
