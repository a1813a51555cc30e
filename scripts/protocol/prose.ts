/** The parts of docs/PROTOCOL.md that no message definition tells: how a connection begins, bytes. */
import { limits } from '../../shared/limits.ts';
import {
  directProtocol,
  laneExtension,
  rpcPath,
  stockProtocol,
} from '../../shared/runtime/upgrade-names.ts';
import { envelopeBytes, kinds } from '../../shared/wire/envelope.ts';
import { linkOps } from '../../shared/wire/link-ops.ts';
import { count, table } from './shapes.ts';

export const connectionText = `## Connections and frames

A connection is a WebSocket (RFC 6455) at the path \`${rpcPath}\`, over TCP or, between processes of one
host, over a unix socket. At one that is a file the connector may offer the extension \`${laneExtension}; name=NAME\`: a file in
memory through which long payloads go (docs/decisions/0007-lanes.md); RSV1 then marks a frame whose
content is the u32 length of what lies in the lane's next slot. No other extension is spoken. Two subprotocols carry the same bytes: \`${directProtocol}\` is
offered by processes that take payloads from the socket into their final buffers, \`${stockProtocol}\` by
everybody else.

One binary frame is one packet of at most ${count(limits.packetBytesMax)} bytes: one or more entries. An entry is one
message:

    u32 bodyBytes   u32 payloadBytes   body   payload

A body has at most ${count(limits.bodyBytesMax)} bytes: the envelope, then the fields of the message, and nothing after
them. A payload has at most ${count(limits.payloadBytesMax)} bytes; most messages have none. All numbers are little-endian.

1. The connector sends \`hello\` (${linkOps.hello.code}): who it is, the protocol versions that it speaks, a nonce, and which
   key it will prove.
2. The acceptor answers with the highest version that both speak, its own nonce, and the proof that it
   has the same key. Without a common version it fails with EPROTO and names both ranges.
3. The connector checks that proof and sends its own with \`prove\` (${linkOps.prove.code}). Only when this has been
   answered the connection stands. Until then nothing else is read from the connector, nor any payload,
   and it has ${count(limits.authenticationTimeoutMs)} ms for it.
4. From now on both sides may send requests, many at once; replies come in any order and find their
   requests by tag. Who has heard nothing for ${count(limits.heartbeatIntervalMs)} ms sends \`ping\` (${linkOps.ping.code}), and again as often
   as nothing comes; who has heard nothing for ${count(limits.heartbeatSilenceMs)} ms closes the connection.

Bytes that break these rules close the connection at once; they are never answered.`;

const envelopeRows = [
  ['0', 'u8', 'kind', `${kinds.request} request, ${kinds.reply} reply`],
  ['1', 'u8', 'reserved', '0'],
  ['2', 'u16', 'op', 'code of the message; a reply repeats that of its request'],
  ['4', 'u32', 'tag', 'chosen by the caller, unique among its calls in flight'],
  ['8', 'u53', 'generation', 'epoch of the sender: generation of the mgr'],
  ['16', 'u32', 'number', 'epoch of the sender: number within the generation'],
  [
    '20',
    'u32',
    'status',
    'request: milliseconds that the caller will still wait, 0 without limit; reply: errno, 0 for success',
  ],
  ['24', 'u32', 'payloadChecksum', 'low half of the XXH64 of the payload, 0 without one'],
  ['28', 'u32', 'slot', "mutations: place in the session's reply cache, else 0"],
  ['32', 'u32', 'sequence', 'mutations: count of those sent in that place, else 0'],
];

export const envelopeText = `## The envelope

The first ${envelopeBytes} bytes of every body. The fields of the message follow: those of the request, of the reply,
or of the failure when \`status\` is not 0.

${table(['offset', 'type', 'field', 'meaning'], envelopeRows)}`;

const encodingRows = [
  ['u8, u16, u32', '1, 2, 4 bytes, unsigned'],
  ['u53', '8 bytes, an integer from 0 to 2^53 - 1'],
  ['i53', "8 bytes, two's complement, from -(2^53 - 1) to 2^53 - 1"],
  ['bool', 'u8: 0 or 1'],
  ['choice', 'u8: position of the word'],
  ['byte[n]', 'n bytes, without a length'],
  ['bytes', 'u32 count, then the bytes'],
  ['text', 'u32 count of bytes, then UTF-8; for people'],
  ['name', 'u16 count of bytes, then the bytes: file names and paths, in no encoding'],
  ['optional T', 'bool, then T if it is 1'],
  ['list of T', 'u32 count, then the items'],
  ['struct', 'the fields one after another, nothing between them'],
];

export const encodingText = `## Encodings

${table(['type', 'bytes'], encodingRows)}

A value outside its range, a length or count over its bound or beyond the bytes present, and bytes left
over are breaches of the protocol.`;

export const keysText = `## Keys and proofs

A cluster has one secret of 32 bytes (all zero for one that listens on loopback only). Other keys derive
from it, where HMAC is HMAC-SHA-256 and \`\\0\` a zero byte:

    session key   = HMAC(secret, "weft session\\0" number of the session in decimal)
    token key     = HMAC(secret, "weft token\\0" user)
    transcript    = SHA-256(u32 length of hello, u32 length of answer, hello, answer, place)
    proof         = HMAC(key, "weft prove connector\\0" transcript)    of the acceptor: "weft prove acceptor\\0"
    hidden key    = session key XOR HMAC(key, "weft hide\\0" transcript)
    cap signature = HMAC(secret, "weft cap\\0" capBody)

\`hello\` and \`answer\` are the encoded fields of the request and of the reply of \`hello\`, the latter with a
proof of zeros. \`place\` is empty but for a connection at a name, of which both ends must know it. A mgr that
listens on an address of loopback has, on Linux, an abstract unix socket too, whose name is
\`weftfs/mgr/ADDRESS:PORT\`, filled up with spaces to 107 bytes. The place there is the SHA-256, in hexadecimal, of
\`weftfs BOOT NAMESPACE\` (the id of the start of the host, and where /proc/self/ns/net leads), a space, \`@\` and
the name (docs/decisions/0019-names-of-the-mgr.md).`;
