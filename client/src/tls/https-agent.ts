import { Agent, type AgentOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { connectTls, type SpiffeClientOptions } from './connect.ts';

/**
 * An agent for `https.request`, axios, got and everything else that takes one: each new connection presents the SVID of
 * the moment, and no request is written before the server is authenticated and authorised.
 */
export function spiffeHttpsAgent(options: SpiffeClientOptions, agent: AgentOptions = {}): Agent {
  return new SpiffeHttpsAgent(options, agent);
}

class SpiffeHttpsAgent extends Agent {
  readonly #options: SpiffeClientOptions;

  constructor(options: SpiffeClientOptions, agent: AgentOptions) {
    // A cached session would skip certificates, and with them our check.
    super({ keepAlive: true, ...agent, maxCachedSessions: 0 });
    this.#options = options;
  }

  override createConnection(target: ConnectionOptions, callback?: Callback): undefined {
    void this.#connect(target, callback ?? (() => {}));
    return undefined;
  }

  async #connect(target: ConnectionOptions, callback: Callback): Promise<void> {
    let socket: Duplex;
    try {
      const ALPNProtocols = target.ALPNProtocols ?? ['http/1.1'];
      ({ socket } = await connectTls({ ...target, ALPNProtocols }, this.#options));
    } catch (error) {
      // Node's type asks for a socket even beside an error.
      return callback(error as Error, undefined as unknown as Duplex);
    }
    callback(null, socket);
  }
}

type Callback = (error: Error | null, socket: Duplex) => void;
