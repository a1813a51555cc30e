/**
 * Speed of the checksum of payloads beside the CRC-32 of Node, in turn in one process.
 * `node --import=tsx bench/checksum.ts`
 */
import { crc32 } from 'node:zlib';
import { checksumOf } from '../shared/checksum.ts';

const subjects = {
  'CRC-32 of node:zlib': (bytes: Uint8Array) => crc32(bytes),
  'XXH64 (ours)': (bytes: Uint8Array) => checksumOf([bytes]),
};
const sizes = [256, 4096, 65_536, 262_144];
const secondsEach = 0.3;
const rounds = 5;

/** @returns bytes a second, 10^9 */
function speedOf(sum: (bytes: Uint8Array) => number, bytes: Uint8Array): number {
  const begun = process.cpuUsage();
  for (let calls = 0; ;) {
    for (let i = 0; i < 64; i++, calls++) sum(bytes);
    const { user, system } = process.cpuUsage(begun);
    if (user + system >= secondsEach * 1e6) return (calls * bytes.length) / (user + system) / 1000;
  }
}

for (const size of sizes) {
  const bytes = new Uint8Array(size).fill(0x5a);
  const speeds = Array.from({ length: rounds }, () =>
    Object.values(subjects).map((sum) => speedOf(sum, bytes)),
  );
  Object.keys(subjects).forEach((name, i) => {
    const [median] = speeds
      .map((round) => round[i] ?? 0)
      .toSorted((a, b) => a - b)
      .slice(rounds >> 1);
    console.log(`${size} bytes  ${name.padEnd(20)} ${median?.toFixed(1)} GB per CPU second`);
  });
}
