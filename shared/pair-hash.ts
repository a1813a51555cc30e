/**
 * Where a pair of numbers stands in a hash: 32 bits. Handles and sessions count upward: their low
 * bits must reach all bits of the hash. Pure.
 */
export function hashPair(first: number, second: number): number {
  let mixed = Math.imul(first, 0x9e37_79b1) ^ Math.imul(second, 0x85eb_ca77);
  mixed ^= Math.imul(first / 0x1_0000_0000, 0xc2b2_ae3d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b_3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}
