/** The end of a tick, where there is no `setImmediate`: a message to ourselves. */

interface Port {
  addEventListener(type: 'message', listener: () => void): void;
  postMessage(message: undefined): void;
  start(): void;
}

/** @returns runs each function in a task of its own, in order, as soon as the tick is done */
export function runSoon(): (run: () => void) => void {
  const waiting: (() => void)[] = [];
  const { port1: hears, port2: tells } = new MessageChannel() as unknown as {
    readonly port1: Port;
    readonly port2: Port;
  };
  hears.addEventListener('message', () => waiting.shift()?.());
  hears.start();
  return (run) => {
    waiting.push(run);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has none
    tells.postMessage(undefined);
  };
}
