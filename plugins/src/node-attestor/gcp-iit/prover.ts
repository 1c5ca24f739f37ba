import { IssuerError } from '@steeple/core';
import { askOutside, type CallOutside } from '../cloud/call-outside.ts';
import type { AttestationChannel, NodeProver } from '../node-attestor.ts';
import { AUDIENCE } from './identity-token.ts';

export interface GcpIitProverOptions {
  /** Of the metadata server, with a port if need be. */
  readonly host: string;
  readonly serviceAccount: string;
  readonly ask: CallOutside;
}

/** Agent's half: the payload is an instance identity token, fresh from the metadata server. */
export class GcpIitProver implements NodeProver {
  readonly type = 'gcp_iit';
  readonly #options: GcpIitProverOptions;

  constructor(options: GcpIitProverOptions) {
    this.#options = options;
  }

  async prove(channel: AttestationChannel, signal: AbortSignal): Promise<void> {
    const { host, serviceAccount, ask } = this.#options;
    const path = `/computeMetadata/v1/instance/service-accounts/${serviceAccount}/identity`;
    const url = new URL(`http://${host}${path}?audience=${AUDIENCE}&format=full`);
    const call = { what: 'an identity token', url, headers: { 'metadata-flavor': 'Google' }, maxBytes: 65_536, signal };
    let token: Uint8Array;
    try {
      token = await askOutside(ask, call);
    } catch (error) {
      if (!(error instanceof IssuerError)) throw error;
      throw new IssuerError('failed-precondition', `gcp_iit: ${error.message}`, { cause: error });
    }
    signal.throwIfAborted();
    await channel.send(token);
  }
}
