/**
 * Lets all promises settle. A turn of Node's loop asks the system for events; immediates that were
 * ordered ahead run one behind another in the same turn, each after the promises of the one before,
 * at a sixth of the time.
 */
const ahead = 64;
const waiting: (() => void)[] = [];
let ordered = 0;

/** Code under test awaits only what the world gives it, so the next immediate is late enough. */
export function promisesSettled(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (ordered >= waiting.length) return;
    for (let i = 0; i < ahead; i++) setImmediate(goOn);
    ordered += ahead;
  });
}

/** One alone, so that the rejections of a world are told before another one goes on. */
function goOn(): void {
  ordered--;
  waiting.shift()?.();
}
