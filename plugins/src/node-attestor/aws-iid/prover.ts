import { IssuerError } from '@steeple/core';
import type { CallOutside } from '../cloud/call-outside.ts';
import type { AttestationChannel, NodeProver } from '../node-attestor.ts';
import { formatPayload } from './messages.ts';
import { askMetadata } from './metadata-service.ts';

export interface AwsIidProverOptions {
  /** Of the instance metadata service; the link-local address by default. */
  readonly endpoint: string | undefined;
  readonly ask: CallOutside;
}

/** Agent's half: shows the instance identity document with both signatures that SPIRE servers may want. */
export class AwsIidProver implements NodeProver {
  readonly type = 'aws_iid';
  readonly #options: AwsIidProverOptions;

  constructor(options: AwsIidProverOptions) {
    this.#options = options;
  }

  async prove(channel: AttestationChannel, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const [document, signature, rsa2048] = [
      await this.#ask('document', signal),
      await this.#ask('signature', signal),
      await this.#ask('rsa2048', signal),
    ];
    await channel.send(formatPayload({ document, signature, rsa2048 }));
  }

  async #ask(part: string, signal: AbortSignal): Promise<string> {
    const path = `dynamic/instance-identity/${part}`;
    try {
      return await askMetadata({ ...this.#options, path, what: `the instance identity ${part}`, signal });
    } catch (error) {
      if (!(error instanceof IssuerError) || error.code !== 'unavailable') throw error;
      throw new IssuerError('failed-precondition', `aws_iid: ${error.message}`, { cause: error });
    }
  }
}
