import { IssuerError } from '@steeple/core';
import { isJsonObject } from '@steeple/spiffe';
import { askOutside, type CallOutside } from '../cloud/call-outside.ts';
import { readJson, textOf } from '../cloud/read-json.ts';
import type { AttestationChannel, NodeProver } from '../node-attestor.ts';
import { formatResponse, OPENING } from './messages.ts';

export interface AzureImdsProverOptions {
  readonly tenantDomain: string;
  /** The machine's metadata service. */
  readonly endpoint: URL;
  readonly ask: CallOutside;
}

const API_VERSION = '2025-04-07';

/** Agent's half: has Azure sign the server's challenge, and says which tenant and scale set it is of. */
export class AzureImdsProver implements NodeProver {
  readonly type = 'azure_imds';
  readonly #options: AzureImdsProverOptions;

  constructor(options: AzureImdsProverOptions) {
    this.#options = options;
  }

  async prove(channel: AttestationChannel, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await channel.send(Buffer.from(OPENING));
    const nonce = Buffer.from(await channel.receive()).toString('latin1');
    if (!/^[A-Za-z0-9]{1,128}$/.test(nonce))
      throw new IssuerError('invalid-argument', 'azure_imds: malformed challenge');
    const document = await this.#ask('attested/document', { nonce }, 'the attested document', signal);
    const [signature, encoding] = [textOf(document, 'signature'), textOf(document, 'encoding')];
    if (!signature || !encoding) throw unusable('the attested document lacks its signature or encoding');
    const instance = await this.#ask('instance', { format: 'json' }, 'the instance metadata', signal);
    const compute = instance['compute'];
    const scaleSet = isJsonObject(compute) ? textOf(compute, 'vmScaleSetName') : undefined;
    signal.throwIfAborted();
    await channel.send(formatResponse(signature, encoding, this.#options.tenantDomain, scaleSet || undefined));
  }

  async #ask(path: string, query: Readonly<Record<string, string>>, what: string, signal: AbortSignal) {
    const { endpoint, ask } = this.#options;
    const url = new URL(`metadata/${path}`, endpoint);
    for (const [name, value] of Object.entries({ ...query, 'api-version': API_VERSION }))
      url.searchParams.set(name, value);
    try {
      return readJson(await askOutside(ask, { what, url, headers: { metadata: 'true' }, signal }), what);
    } catch (error) {
      if (!(error instanceof IssuerError)) throw error;
      throw unusable(error.message, error);
    }
  }
}

function unusable(message: string, cause?: unknown): IssuerError {
  return new IssuerError('failed-precondition', `azure_imds: ${message}`, { cause });
}
