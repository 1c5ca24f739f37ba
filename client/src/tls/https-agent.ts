import { Agent, type AgentOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import type { TrustBundle, TrustDomain, X509Svid } from '@steeple/spiffe';
import { connectTls, type SpiffeClientOptions } from './connect.ts';

/**
 * An agent for `https.request`, axios, got and everything else that takes one: each new connection presents the SVID of
 * the moment, and no request is written before the server is authenticated and authorised. After a rotation, or a change
 * of the bundle that vouched for the server, a kept connection is not used for another request.
 */
export function spiffeHttpsAgent(options: SpiffeClientOptions, agent: AgentOptions = {}): Agent {
  return new SpiffeHttpsAgent(options, agent);
}

class SpiffeHttpsAgent extends Agent {
  readonly #options: SpiffeClientOptions;
  readonly #made = new WeakMap<Duplex, Circumstances>();

  constructor(options: SpiffeClientOptions, agent: AgentOptions) {
    // A cached session would skip certificates, and with them our check.
    super({ keepAlive: true, ...agent, maxCachedSessions: 0 });
    this.#options = options;
  }

  override createConnection(target: ConnectionOptions, callback?: Callback): undefined {
    void this.#connect(target, callback ?? (() => {}));
    return undefined;
  }

  // Asked when a response is over: no request is lost by closing the connection then.
  override keepSocketAlive(socket: Duplex): boolean {
    // Documented to answer whether to keep it, typed as if it did not.
    return this.#isAsMade(socket) && (super.keepSocketAlive(socket) as unknown as boolean);
  }

  #isAsMade(socket: Duplex): boolean {
    const made = this.#made.get(socket);
    const bundle = made && this.#options.bundles.bundleFor(made.trustDomain);
    if (made?.bundle === undefined || bundle?.trustsSameAs(made.bundle) !== true) return false;
    try {
      return this.#options.svid?.x509Svid() === made.svid;
    } catch {
      return false;
    }
  }

  async #connect(target: ConnectionOptions, callback: Callback): Promise<void> {
    let socket: Duplex;
    try {
      const ALPNProtocols = target.ALPNProtocols ?? ['http/1.1'];
      const svid = this.#options.svid?.x509Svid();
      const made = await connectTls({ ...target, ALPNProtocols }, this.#options);
      socket = made.socket;
      const { trustDomain } = made.peer.id;
      this.#made.set(socket, { svid, trustDomain, bundle: this.#options.bundles.bundleFor(trustDomain) });
    } catch (error) {
      // Node's type asks for a socket even beside an error.
      return callback(error as Error, undefined as unknown as Duplex);
    }
    callback(null, socket);
  }
}

/** What a connection was made with. */
interface Circumstances {
  readonly svid: X509Svid | undefined;
  readonly trustDomain: TrustDomain;
  readonly bundle: TrustBundle | undefined;
}

type Callback = (error: Error | null, socket: Duplex) => void;
