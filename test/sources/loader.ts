/** For `node`: what runs a program from our sources, as the tests themselves run. */
export const sourceLoader = `--import=${new URL('register.js', import.meta.url).href}`;
