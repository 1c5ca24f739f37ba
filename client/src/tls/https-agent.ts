import { Agent, type AgentOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { type Circumstances, circumstancesOf, hold } from './circumstances.ts';
import { openTls, type SpiffeClientOptions } from './connect.ts';

/**
 * An agent for `https.request`, axios, got and everything else that takes one: each new connection presents the SVID of
 * the moment, and no request is written before the server is authenticated and authorised. After a rotation, or a change
 * of the bundle that vouched for the server, a connection is not used for another request: an idle one is closed, one with
 * a request on it when that is over. One to a server that is no longer trusted is cut at once.
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
    const made = this.#made.get(socket);
    // Documented to answer whether to keep it, typed as if it did not.
    return made !== undefined && hold(made, this.#options) && (super.keepSocketAlive(socket) as unknown as boolean);
  }

  async #connect(target: ConnectionOptions, callback: Callback): Promise<void> {
    let socket: Duplex;
    try {
      const ALPNProtocols = target.ALPNProtocols ?? ['http/1.1'];
      const svid = this.#options.svid?.x509Svid();
      const retire = (kept: Duplex) => this.#closeIfIdle(kept);
      const made = await openTls({ ...target, ALPNProtocols }, this.#options, { retire });
      socket = made.socket;
      this.#made.set(socket, circumstancesOf({ peer: made.peer, svid }, this.#options));
    } catch (error) {
      // Node's type asks for a socket even beside an error.
      return callback(error as Error, undefined as unknown as Duplex);
    }
    callback(null, socket);
  }

  #closeIfIdle(socket: Duplex): void {
    const isIdle = Object.values(this.freeSockets).some((free) => free?.some((one) => one === socket) === true);
    if (isIdle) socket.destroy();
  }
}

type Callback = (error: Error | null, socket: Duplex) => void;
