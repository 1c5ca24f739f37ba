import { IssuerError } from '@steeple/core';
import type { Logger } from '@steeple/daemon';
import type { AttestationChannel, NodeProver } from '../node-attestor.ts';
import { type DevIdFiles, readDevId } from './devid.ts';
import { gatherEvidence, type Passwords, solve } from './evidence.ts';
import { formatEvidence, formatResponse, parseChallenge } from './messages.ts';
import { Tpm } from './tpm/tpm.ts';
import { openTransport, type TpmTransport } from './tpm/transport.ts';

export interface TpmDevIdProverOptions {
  /** A character device, a socket, or `tcp://host:port`. */
  readonly device: string;
  readonly files: DevIdFiles;
  readonly passwords: Passwords;
  readonly logger: Logger;
}

/** Agent's half: has the TPM prove that it holds the DevID key. Files are read and the TPM is opened at each attestation. */
export class TpmDevIdProver implements NodeProver {
  readonly type = 'tpm_devid';
  readonly #options: TpmDevIdProverOptions;

  constructor(options: TpmDevIdProverOptions) {
    this.#options = options;
  }

  async prove(channel: AttestationChannel, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { files, passwords } = this.#options;
    const devId = await readDevId(files);
    const transport = await this.#open();
    try {
      const tpm = this.#tpm(transport, signal);
      const { evidence, keys } = await this.#explain(gatherEvidence(tpm, devId, passwords), signal);
      signal.throwIfAborted();
      await channel.send(formatEvidence(evidence));
      const challenge = parseChallenge(await channel.receive());
      const response = await this.#explain(solve(tpm, keys, challenge, devId, passwords), signal);
      signal.throwIfAborted();
      await channel.send(formatResponse(response));
    } finally {
      await transport.close();
    }
  }

  #tpm(transport: TpmTransport, signal: AbortSignal): Tpm {
    const onLeak = (error: unknown) =>
      this.#options.logger.warn('tpm_devid: something stays loaded in the TPM', { reason: (error as Error).message });
    return new Tpm({ transport, signal, onLeak });
  }

  async #open(): Promise<TpmTransport> {
    try {
      return await openTransport(this.#options.device);
    } catch (cause) {
      throw this.#unusable((cause as Error).message, cause);
    }
  }

  async #explain<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await work;
    } catch (cause) {
      if (cause instanceof IssuerError || signal.aborted) throw cause;
      throw this.#unusable((cause as Error).message, cause);
    }
  }

  #unusable(reason: string, cause: unknown): IssuerError {
    const message = `tpm_devid: the TPM at ${this.#options.device} cannot be used: ${reason}`;
    return new IssuerError('failed-precondition', message, { cause });
  }
}
