/**
 * The first two messages of every connection: who are you, and prove it. Both sides prove a key
 * over the same transcript before either believes a word of the other (DESIGN 3, 4; MISSION M14).
 *
 *   connector -> hello (name, versions, nonce)      acceptor -> its own, and its proof
 *   connector -> prove (proof)                      acceptor -> welcome
 */
import { hasSecret, type Key, noSecret, prove, sameBytes, transcriptOf } from '../auth.ts';
import { FsError, ProtocolError } from '../errno.ts';
import { encode, type ValueOf } from '../wire/codec.ts';
import { linkOps } from '../wire/link-ops.ts';
import type { Role } from '../wire/op.ts';
import type { Connection, Peer } from './connection.ts';
import { Service } from './service.ts';

/** A range of protocol versions. */
export interface Versions {
  readonly min: number;
  readonly max: number;
}

/** Those that this code speaks. */
export const protocolVersions: Versions = { min: 1, max: 1 };

export type Hello = ValueOf<typeof linkOps.hello.request>;
type HelloReply = ValueOf<typeof linkOps.hello.reply>;

export interface Self {
  readonly role: Role;
  readonly node: string;
  readonly incarnation: number;
  /** Cluster that this process belongs to; '' when it does not know yet. */
  readonly cluster: () => string;
  /** Those that it speaks for now; `protocolVersions` by default. */
  readonly versions?: () => Versions;
}

/** A key and the name under which the acceptor finds its own copy of it. */
export interface Credential {
  readonly kind: Hello['key'];
  readonly name: string;
  readonly key: Key;
}

const unproved = new Uint8Array(32);

/**
 * The connector's side.
 * @returns the peer, which has proved the same key
 * @throws FsError EKEYREJECTED, EPROTO (versions, other cluster, other role)
 */
export async function introduce(
  connection: Connection,
  self: Self,
  credential: Credential,
  options: { readonly expect: Role; readonly nonce: Uint8Array; readonly deadline: number },
): Promise<Peer> {
  const { deadline, expect } = options;
  const ours = versionsOf(self);
  const hello: Hello = {
    versionMin: ours.min,
    versionMax: ours.max,
    role: self.role,
    cluster: self.cluster(),
    node: self.node,
    incarnation: self.incarnation,
    key: credential.kind,
    keyName: credential.name,
    nonce: options.nonce,
  };
  const answer = await connection.call(linkOps.hello, hello, { deadline });
  const transcript = transcriptOfHello(connection, hello, answer);
  if (!sameBytes(answer.proof, prove(credential.key, 'acceptor', transcript))) {
    throw new FsError('EKEYREJECTED', {
      id: 'WEFT_E_BAD_KEY',
      what: `${connection.description} could not prove that it has our key`,
    });
  }
  if (answer.role !== expect) {
    throw new FsError('EPROTO', {
      id: 'WEFT_E_NOT_WEFT',
      what: `${connection.description} is a weftfs ${answer.role}, not ${expect === 'mgr' ? 'a mgr' : `an ${expect}`}`,
    });
  }
  if (!includes(ours, answer.version)) {
    throw wrongVersion(`${connection.description} has chosen protocol ${answer.version}`, ours);
  }
  const proof = prove(credential.key, 'connector', transcript);
  await connection.call(linkOps.prove, { proof }, { deadline });
  connection.binding = { key: credential.key, transcript };
  return {
    role: answer.role,
    node: answer.node,
    incarnation: answer.incarnation,
    trusted: true,
    session: undefined,
    user: undefined,
  };
}

export interface Doorkeeper {
  readonly self: Self;
  /**
   * The key that a peer with this hello must prove, and who it is once it has.
   * @throws FsError to turn it away at once
   */
  readonly admit: (hello: Hello) => { readonly key: Key; readonly peer: Peer };
  readonly nonce: () => Uint8Array;
  /** The peer has proved itself. @throws FsError to turn it away after all */
  readonly welcome: (connection: Connection, peer: Peer) => void;
  /** A peer was turned away, for the counters (SCENARIOS 260). */
  readonly refused: (connection: Connection, error: FsError) => void;
}

/** What a stranger may ask of an acceptor: nothing but to be let in. */
export function doorService(door: Doorkeeper): Service {
  let expected: { key: Key; peer: Peer; transcript: Uint8Array } | undefined;
  const refusing = <T>(connection: Connection, decide: () => T): T => {
    try {
      return decide();
    } catch (error) {
      if (error instanceof FsError) door.refused(connection, error);
      throw error;
    }
  };
  return new Service().serve(linkOps, {
    hello: (hello, { connection }) =>
      refusing(connection, () => {
        if (expected) throw new ProtocolError('a second hello');
        const version = commonVersion(hello, versionsOf(door.self));
        checkCluster(hello, door);
        const { key, peer } = door.admit(hello);
        const { role, node, incarnation } = door.self;
        const cluster = door.self.cluster();
        const answer = { version, role, cluster, node, incarnation, nonce: door.nonce() };
        const transcript = transcriptOfHello(connection, hello, { ...answer, proof: unproved });
        expected = { key, peer, transcript };
        return { ...answer, proof: prove(key, 'acceptor', transcript) };
      }),
    prove: ({ proof }, { connection }) =>
      refusing(connection, () => {
        if (!expected) throw new ProtocolError('a proof before the hello');
        const { key, peer, transcript } = expected;
        if (!sameBytes(proof, prove(key, 'connector', transcript))) {
          throw new FsError('EKEYREJECTED', { id: 'WEFT_E_BAD_KEY' });
        }
        connection.binding = { key, transcript };
        door.welcome(connection, peer);
        return {};
      }),
    ping: () => {
      throw new ProtocolError('a ping before the proof');
    },
  });
}

/** Adds what every established connection answers. */
export function serveLink(service: Service): Service {
  return service.serve(linkOps, {
    hello: () => {
      throw new ProtocolError('a hello on a connection that stands');
    },
    prove: () => {
      throw new ProtocolError('a proof on a connection that stands');
    },
    ping: (_, { connection }) => ({ wall: connection.clock.wall() }),
  });
}

/** @throws FsError EKEYREJECTED WEFT_E_NO_KEY when a cluster with a secret is met without any */
export function requireKey(kind: Hello['key'], secret: Key): void {
  if (kind === 'none' && hasSecret(secret)) {
    throw new FsError('EKEYREJECTED', { id: 'WEFT_E_NO_KEY' });
  }
}

export const anonymous: Credential = { kind: 'none', name: '', key: noSecret };

function transcriptOfHello({ place }: Connection, hello: Hello, answer: HelloReply): Uint8Array {
  return transcriptOf(
    encode(linkOps.hello.request, hello),
    encode(linkOps.hello.reply, { ...answer, proof: unproved }),
    place,
  );
}

function versionsOf({ versions }: Self): Versions {
  return versions?.() ?? protocolVersions;
}

/** The highest that both speak. */
function commonVersion({ versionMin, versionMax }: Hello, ours: Versions): number {
  const version = Math.min(versionMax, ours.max);
  if (version >= Math.max(versionMin, ours.min)) return version;
  throw wrongVersion(`the peer speaks protocol ${versionMin}-${versionMax}`, ours);
}

export function includes({ min, max }: Versions, version: number): boolean {
  return version >= min && version <= max;
}

/** @param theirs what the other side speaks, in words */
export function wrongVersion(theirs: string, { min, max }: Versions): FsError {
  return new FsError('EPROTO', { id: 'WEFT_E_VERSION', what: `${theirs}, we ${min}-${max}` });
}

function checkCluster(hello: Hello, { self }: Doorkeeper): void {
  const ours = self.cluster();
  if (hello.cluster === '' || ours === '' || hello.cluster === ours) return;
  throw new FsError('EPROTO', {
    id: 'WEFT_E_OTHER_CLUSTER',
    what: `${hello.role} ${hello.node} belongs to cluster ${hello.cluster}, this ${self.role} to ${ours}`,
  });
}
