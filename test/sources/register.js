/**
 * `node --import=./test/sources/register.js program.ts` runs a program from our sources. The tests
 * do: each is a process of its own, and through tsx most of them took longer to begin than to run.
 */
import { register } from 'node:module';

register('./hooks.js', import.meta.url);
