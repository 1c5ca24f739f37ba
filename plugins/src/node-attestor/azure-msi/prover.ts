import { IssuerError } from '@steeple/core';
import type { CallOutside } from '../cloud/call-outside.ts';
import type { AttestationChannel, NodeProver } from '../node-attestor.ts';
import { identityToken } from './metadata.ts';
import { formatPayload } from './principal.ts';

export interface AzureMsiProverOptions {
  /** Whom the token is for. */
  readonly resourceId: string;
  /** The machine's metadata service. */
  readonly endpoint: URL;
  readonly ask: CallOutside;
}

/** Agent's half: shows a token of the machine's managed identity. */
export class AzureMsiProver implements NodeProver {
  readonly type = 'azure_msi';
  readonly #options: AzureMsiProverOptions;

  constructor(options: AzureMsiProverOptions) {
    this.#options = options;
  }

  async prove(channel: AttestationChannel, signal: AbortSignal): Promise<void> {
    const { endpoint, resourceId, ask } = this.#options;
    let token: string;
    try {
      token = await identityToken(endpoint, resourceId, ask, signal);
    } catch (error) {
      if (!(error instanceof IssuerError)) throw error;
      throw new IssuerError('failed-precondition', `azure_msi: ${error.message}`, { cause: error });
    }
    signal.throwIfAborted();
    await channel.send(formatPayload(token));
  }
}
