import { agentId, IssuerError } from '@steeple/core';
import type { Logger } from '@steeple/daemon';
import { SpiffeError, type SpiffeId, type TrustDomain } from '@steeple/spiffe';
import type { AttestationChannel, NodeVerifier, VerifiedNode } from '../node-attestor.ts';
import type { Networks } from './addresses.ts';
import { fetchNonce } from './fetch-nonce.ts';
import { type HostNames, isHostName } from './host-names.ts';
import { formatChallenge, isAgentName, parsePayload, type Whereabouts } from './messages.ts';
import { allowedAddresses, type Resolver } from './resolve.ts';

const TYPE = 'http_challenge';
const NONCE_BYTES = 32;
/** Ports below need privileges. */
const FIRST_FREE_PORT = 1024;

export interface HttpChallengeVerifierOptions {
  readonly trustDomain: TrustDomain;
  readonly hostNames: HostNames;
  readonly networks: Networks;
  readonly requiredPort: number | undefined;
  readonly allowNonRootPorts: boolean;
  /** Trust on first use: who attested once does not again. */
  readonly tofu: boolean;
  /** Seconds that resolving and asking may take together. */
  readonly patience: number;
  readonly resolver: Resolver;
  readonly random: (bytes: number) => Uint8Array;
  readonly logger: Logger;
}

/** Server's half: believes whoever can put a fresh text under a path of the web server of that name. */
export class HttpChallengeVerifier implements NodeVerifier {
  readonly type = TYPE;
  readonly #options: HttpChallengeVerifierOptions;

  constructor(options: HttpChallengeVerifierOptions) {
    this.#options = options;
  }

  async verify(payload: Uint8Array, channel: AttestationChannel, signal: AbortSignal): Promise<VerifiedNode> {
    const where = parsePayload(payload);
    this.#judge(where);
    const agent = idOf(this.#options.trustDomain, where.hostname);
    signal.throwIfAborted();
    const nonce = base64urlPadded(this.#options.random(NONCE_BYTES));
    await channel.send(formatChallenge(nonce));
    // That it answers is enough: now its web server has the nonce.
    await channel.receive();
    signal.throwIfAborted();
    await this.#ask(where, nonce, signal);
    return {
      agentId: agent,
      selectors: [{ type: TYPE, value: `hostname:${where.hostname}` }],
      canReattest: !this.#options.tofu,
    };
  }

  #judge({ hostname, agentName, port }: Whereabouts): void {
    const { requiredPort, allowNonRootPorts, hostNames } = this.#options;
    if (requiredPort !== undefined && port !== requiredPort) {
      throw invalid(`port ${port} is not allowed to be used by this server`);
    }
    if (!allowNonRootPorts && port >= FIRST_FREE_PORT) throw invalid(`port ${port} is not allowed to be >= 1024`);
    if (!isAgentName(agentName)) throw invalid('agent name is not valid');
    if (/^localhost$/i.test(hostname)) throw denied('you can not use localhost as a hostname');
    if (!isHostName(hostname)) throw invalid('the hostname is not a DNS name');
    if (!hostNames.allow(hostname)) throw denied('the requested hostname is not allowed to connect');
  }

  /** Whoever attests learns that it failed, and nothing of what this server can reach or was told there. */
  async #ask(where: Whereabouts, nonce: string, signal: AbortSignal): Promise<void> {
    const { resolver, networks, logger, patience } = this.#options;
    const until = AbortSignal.any([signal, AbortSignal.timeout(patience * 1000)]);
    try {
      const addresses = await allowedAddresses(where.hostname, resolver, networks, until);
      if ((await fetchNonce(where, addresses, until)) === nonce) return;
      throw new Error('the answer is not the nonce');
    } catch (cause) {
      signal.throwIfAborted();
      const { hostname, port } = where;
      logger.warn('HTTP challenge failed', { hostname, port, error: (cause as Error).message });
      throw denied('challenge verification failed: the nonce was not found at the hostname and port');
    }
  }
}

function idOf(trustDomain: TrustDomain, hostname: string): SpiffeId {
  try {
    return agentId(trustDomain, TYPE, hostname);
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause;
    throw invalid('the hostname makes no agent ID');
  }
}

function base64urlPadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

function invalid(reason: string): IssuerError {
  return new IssuerError('invalid-argument', `http_challenge: ${reason}`);
}

function denied(reason: string): IssuerError {
  return new IssuerError('permission-denied', `http_challenge: ${reason}`);
}
