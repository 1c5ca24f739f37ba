import { readFile } from 'node:fs/promises';
import { IssuerError } from '@steeple/core';
import { reasonOf } from '@steeple/daemon';
import type { AttestationChannel, NodeProver } from '../node-attestor.ts';
import { formatPayload } from './messages.ts';

/** Agent's half: hands over the token that the kubelet keeps in a file. It is read at each attestation. */
export class PsatProver implements NodeProver {
  readonly type = 'k8s_psat';
  readonly #cluster: string;
  readonly #tokenPath: string;

  constructor(options: { readonly cluster: string; readonly tokenPath: string }) {
    this.#cluster = options.cluster;
    this.#tokenPath = options.tokenPath;
  }

  async prove(channel: AttestationChannel, signal: AbortSignal): Promise<void> {
    const token = await this.#token();
    signal.throwIfAborted();
    await channel.send(formatPayload({ cluster: this.#cluster, token }));
  }

  async #token(): Promise<string> {
    const path = this.#tokenPath;
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (cause) {
      throw unusable(`unable to load token from ${path}: ${reasonOf(cause)}`);
    }
    const token = text.trim();
    if (token === '') throw unusable(`unable to load token from ${path}: it is empty`);
    return token;
  }
}

function unusable(reason: string): IssuerError {
  return new IssuerError('failed-precondition', `k8s_psat: ${reason}`);
}
