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

  override createConnection(
    target: ConnectionOptions,
    callback?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    connectTls({ ...target, ALPNProtocols: target.ALPNProtocols ?? ['http/1.1'] }, this.#options).then(
      ({ socket }) => callback?.(null, socket),
      (error: Error) => callback?.(error, undefined as unknown as Duplex),
    );
    return undefined;
  }
}
