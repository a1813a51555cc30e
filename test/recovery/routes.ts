/** The ways between the processes of a cluster, each through a proxy that can fail. */
import { FaultProxy } from './fault-proxy.ts';

export class Routes {
  /** From clients to the mgr. */
  readonly mgr: FaultProxy;
  /** From iods to the mgr. */
  readonly sync: FaultProxy;
  readonly #iods: readonly FaultProxy[];

  /** @param ports where the daemons listen: the mgr, then the iods */
  static async open(host: string, [mgr = 0, ...iods]: readonly number[]): Promise<Routes> {
    const [toMgr, ofIods, ...toIods] = await Promise.all(
      [mgr, mgr, ...iods].map((port) => FaultProxy.listen({ host, port })),
    );
    if (toMgr === undefined || ofIods === undefined) throw new Error('both are there');
    return new Routes(toMgr, ofIods, toIods);
  }

  private constructor(mgr: FaultProxy, sync: FaultProxy, iods: readonly FaultProxy[]) {
    this.mgr = mgr;
    this.sync = sync;
    this.#iods = iods;
  }

  get all(): readonly FaultProxy[] {
    return [this.mgr, this.sync, ...this.#iods];
  }

  /** For an iodtab: what clients are told. */
  get ports(): readonly number[] {
    return [this.mgr, ...this.#iods].map(({ port }) => port);
  }

  /** From clients to an iod. */
  iod(index: number): FaultProxy {
    const proxy = this.#iods[index];
    if (proxy === undefined) throw new Error(`there is no iod ${index}`);
    return proxy;
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((proxy) => proxy.close()));
  }
}
