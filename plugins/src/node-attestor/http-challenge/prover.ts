import { IssuerError } from '@steeple/core';
import type { AttestationChannel, NodeProver } from '../node-attestor.ts';
import { type ChallengeListener, listenForChallenge } from './listener.ts';
import { challengePath, formatPayload, parseChallenge, READY } from './messages.ts';

export interface HttpChallengeProverOptions {
  readonly hostname: string;
  readonly agentName: string;
  /** Zero: any that is free. */
  readonly port: number;
  /** The port that the server is told, if something in between passes requests on; undefined: the same. */
  readonly advertisedPort?: number | undefined;
}

/** Agent's half: says under which name it can be found, and answers there until the attestation is over. */
export class HttpChallengeProver implements NodeProver {
  readonly type = 'http_challenge';
  readonly #options: HttpChallengeProverOptions;

  constructor(options: HttpChallengeProverOptions) {
    this.#options = options;
  }

  async prove(channel: AttestationChannel, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { hostname, agentName, advertisedPort } = this.#options;
    const listener = await this.#listen();
    const close = (): void => listener[Symbol.dispose]();
    signal.addEventListener('abort', close, { once: true });
    try {
      signal.throwIfAborted();
      await channel.send(formatPayload({ hostname, agentName, port: advertisedPort ?? listener.port }));
      listener.answer(parseChallenge(await channel.receive()));
      signal.throwIfAborted();
      await channel.send(READY);
    } catch (error) {
      signal.removeEventListener('abort', close);
      close();
      throw error;
    }
  }

  async #listen(): Promise<ChallengeListener> {
    const { port, agentName } = this.#options;
    try {
      return await listenForChallenge(port, challengePath(agentName));
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      const help = code === 'EACCES' ? '; ports below 1024 need root or CAP_NET_BIND_SERVICE' : '';
      const message = `http_challenge: cannot listen on port ${port} (${code})${help}`;
      // Another agent on the same port is done soon.
      throw new IssuerError(code === 'EADDRINUSE' ? 'unavailable' : 'failed-precondition', message, { cause });
    }
  }
}
