import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  authorizeId,
  type BundleSet,
  connectTls,
  createTlsServer,
  SpiffeId,
  verifyJwtSvid,
  WorkloadApiClient,
  type X509Context,
  type X509Svid,
} from '@steeple/client';
import type { MachineClock } from './simulated-time.ts';

/** All workloads of one machine. They run as one user, so one stream carries the identities of all of them. */
export class SimulatedMachine implements AsyncDisposable {
  readonly clock: MachineClock;
  readonly workloads: readonly Workload[];
  readonly client: WorkloadApiClient;
  readonly #stop = new AbortController();
  readonly #following: Promise<unknown>;
  x509: X509Context | undefined;
  jwt: BundleSet | undefined;
  updates = 0;

  constructor(address: string, clock: MachineClock, paths: readonly string[]) {
    this.clock = clock;
    this.client = new WorkloadApiClient({
      address,
      rim: { now: clock.now, monotonic: clock.monotonic, sleep: clock.sleep, random: Math.random },
    });
    this.workloads = paths.map((path) => new Workload(this, path));
    this.#following = Promise.all([this.#followX509(), this.#followJwt()]);
  }

  get isReady(): boolean {
    return this.jwt !== undefined && this.x509?.svids.length === this.workloads.length;
  }

  holds(path: string): boolean {
    return this.x509?.svids.some(({ id }) => id.path === path) === true;
  }

  async #followX509(): Promise<void> {
    for await (const event of this.client.watchX509Context(this.#stop.signal)) {
      if (event.kind === 'withdrawn') this.x509 = undefined;
      if (event.kind !== 'update') continue;
      this.x509 = event.value;
      this.updates += 1;
    }
  }

  async #followJwt(): Promise<void> {
    for await (const event of this.client.watchJwtBundles(this.#stop.signal)) {
      if (event.kind === 'update') this.jwt = event.value;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.client.close();
    await this.#following;
  }
}

/** One identity and what is done with it. */
export class Workload {
  readonly machine: SimulatedMachine;
  readonly id: SpiffeId;

  constructor(machine: SimulatedMachine, path: string) {
    this.machine = machine;
    this.id = SpiffeId.parse(`spiffe://month.test${path}`);
  }

  readonly x509Svid = (): X509Svid => {
    const svid = this.machine.x509?.svids.find(({ id }) => id.equals(this.id));
    if (svid === undefined) throw new Error(`${this.id} holds no X509-SVID`);
    return svid;
  };

  readonly #bundles = { bundleFor: (name: SpiffeId['trustDomain']) => this.machine.x509?.bundles.bundleFor(name) };

  /** A real handshake over TCP, each side with the clock of its machine. Rejects when one side refuses the other. */
  async call(other: Workload): Promise<void> {
    const refused = Promise.withResolvers<never>();
    refused.promise.catch(() => {});
    const server = createTlsServer({ ...other.#side(this), onRefused: (error) => refused.reject(error) }, (socket) =>
      socket.end('welcome'),
    ).listen(0, '127.0.0.1');
    try {
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const { socket } = await connectTls({ host: '127.0.0.1', port }, this.#side(other));
      const [data] = (await Promise.race([once(socket, 'data'), refused.promise])) as [Buffer];
      socket.destroy();
      if (String(data) !== 'welcome') throw new Error('another answer');
    } finally {
      server.close();
    }
  }

  /** Fetches a JWT-SVID for the other one, which judges it by its own clock and bundles, and has its agent judge it. */
  async tell(other: Workload): Promise<void> {
    const audience = other.id.toString();
    const [svid] = await this.machine.client.fetchJwtSvids({ audience: [audience], id: this.id });
    if (svid === undefined || other.machine.jwt === undefined) throw new Error('no JWT-SVID, or no bundle for it');
    const { token } = svid;
    verifyJwtSvid(token, other.machine.jwt, [audience], { now: other.machine.clock.now() });
    await other.machine.client.validateJwtSvid(token, audience);
  }

  /** Seconds that the X509-SVID is still good for. */
  get left(): number {
    return this.x509Svid().leaf.notAfter - this.machine.clock.now();
  }

  #side(peer: Workload) {
    return {
      svid: { x509Svid: this.x509Svid },
      bundles: this.#bundles,
      authorize: authorizeId(peer.id),
      now: this.machine.clock.now,
    };
  }
}
