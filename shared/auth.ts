/**
 * Keys and proofs. A cluster has one secret; every other key is derived from it, so an iod checks
 * a session or a cap by itself, without a table and without asking. No key ever crosses the wire
 * in the clear: a peer proves that it has one (DESIGN 4, MISSION M14).
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { SessionId } from './units.ts';
import { type Cap, type CapBody, capBody } from './wire/values.ts';
import { encode } from './wire/codec.ts';

/** 32 bytes. */
export type Key = Uint8Array;

export const keyBytes = 32;

/** The key of a cluster without a secret. Such a cluster listens on loopback only. */
export const noSecret: Key = new Uint8Array(keyBytes);

/** @returns the key of 64 hexadecimal digits; `undefined` for anything else */
export function parseKey(text: string): Key | undefined {
  return /^[0-9a-f]{64}$/.test(text) ? Buffer.from(text, 'hex') : undefined;
}

export function hasSecret(key: Key): boolean {
  return key.some((byte) => byte !== 0);
}

/** The key by which a session's client is known to the mgr and to every iod. */
export function sessionKey(secret: Key, session: SessionId): Key {
  return derive(secret, 'session', String(session));
}

/** The key of a user who shall not hold the cluster's secret. */
export function tokenKey(secret: Key, user: string): Key {
  return derive(secret, 'token', user);
}

/** The key of who was let in once, by a ticket of this name (mgr/tickets.ts). */
export function ticketKey(secret: Key, name: string): Key {
  return derive(secret, 'ticket', name);
}

/**
 * What both sides have said so far, as one value that proofs are bound to.
 * @param place of the connection, where both must be at the same: see `placeOf`
 */
export function transcriptOf(hello: Uint8Array, answer: Uint8Array, place = ''): Uint8Array {
  // Lengths first, so that no byte can move from one message to the other.
  const head = Buffer.alloc(8);
  head.writeUInt32LE(hello.length, 0);
  head.writeUInt32LE(answer.length, 4);
  return createHash('sha256').update(head).update(hello).update(answer).update(place).digest();
}

/** A proof of one side cannot be sent back as that of the other: `side` is part of it. */
export function prove(
  key: Key,
  side: 'connector' | 'acceptor',
  transcript: Uint8Array,
): Uint8Array {
  return createHmac('sha256', key).update(`weft prove ${side}\0`).update(transcript).digest();
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Hides 32 bytes from everybody but the peer of this connection. Its own inverse. */
export function hide(key: Key, transcript: Uint8Array, value: Uint8Array): Uint8Array {
  const mask = createHmac('sha256', key).update('weft hide\0').update(transcript).digest();
  return value.map((byte, at) => byte ^ (mask[at] ?? 0));
}

export function signCap(secret: Key, body: CapBody): Cap {
  return { body, signature: capSignature(secret, body) };
}

export function isGenuineCap(secret: Key, { body, signature }: Cap): boolean {
  return sameBytes(signature, capSignature(secret, body));
}

function capSignature(secret: Key, body: CapBody): Uint8Array {
  return createHmac('sha256', secret).update('weft cap\0').update(encode(capBody, body)).digest();
}

function derive(secret: Key, purpose: string, name: string): Key {
  return createHmac('sha256', secret).update(`weft ${purpose}\0${name}`).digest();
}
