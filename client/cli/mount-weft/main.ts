#!/usr/bin/env node
/**
 * `mount.weft`: what mount(8) runs for a line of type `weft` in fstab(5), when it stands in /sbin.
 * Exit codes are those of mount(8): 1 for a call that is wrong, 32 for a mount that failed.
 */
import { helperWords } from '../mount-helper.ts';

const failed = 32;
const cli = new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url);

try {
  const words = helperWords(process.argv.slice(2));
  if (words !== undefined) {
    process.argv = [process.execPath, cli.pathname, ...words];
    await import(cli.href);
    if (process.exitCode !== 0 && process.exitCode !== undefined) process.exitCode = failed;
  }
} catch (error) {
  process.stderr.write(`mount.weft: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
