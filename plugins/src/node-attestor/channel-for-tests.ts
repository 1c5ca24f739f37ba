import { anAgent } from '../datastore/contract-samples.ts';
import type { AttestationChannel, NodeProver, NodeVerifier, VerifiedNode } from './node-attestor.ts';

/** Both ends of a conversation in memory, and everything that was said. */
export class ChannelPair {
  readonly said: { readonly from: 'agent' | 'server'; readonly data: Uint8Array }[] = [];
  readonly agent: AttestationChannel;
  readonly server: AttestationChannel;
  readonly #closed = Promise.withResolvers<never>();

  constructor(
    options: { readonly peerAddress?: string; readonly tamper?: (data: Uint8Array, index: number) => Uint8Array } = {},
  ) {
    const toServer = new Mailbox();
    const toAgent = new Mailbox();
    // A conversation nobody waits for any more ends without noise.
    this.#closed.promise.catch(() => undefined);
    const send = (from: 'agent' | 'server', box: Mailbox) => async (data: Uint8Array) => {
      const sent = options.tamper?.(data, this.said.length) ?? data;
      this.said.push({ from, data: sent });
      box.put(sent);
    };
    const receive = (box: Mailbox) => () => Promise.race([box.take(), this.#closed.promise]);
    this.agent = { send: send('agent', toServer), receive: receive(toAgent) };
    this.server = { send: send('server', toAgent), receive: receive(toServer), peerAddress: options.peerAddress };
  }

  close(): void {
    this.#closed.reject(new Error('the conversation is over'));
  }
}

/** Runs both halves against each other; the server's word counts, and what is good once is used up. */
export async function attest(
  prover: NodeProver,
  verifier: NodeVerifier,
  pair = new ChannelPair(),
): Promise<VerifiedNode> {
  const over = new AbortController();
  const { signal } = over;
  const proving = prover.prove(pair.agent, signal);
  proving.catch(() => pair.close());
  try {
    const verified = await verifier.verify(await pair.server.receive(), pair.server, signal);
    await proving;
    await verified.admit?.(anAgent('a', { id: verified.agentId }));
    return verified;
  } finally {
    over.abort();
    pair.close();
  }
}

class Mailbox {
  readonly #messages: Uint8Array[] = [];
  readonly #waiting: ((data: Uint8Array) => void)[] = [];

  put(data: Uint8Array): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#messages.push(data);
    else next(data);
  }

  take(): Promise<Uint8Array> {
    const message = this.#messages.shift();
    return message === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(message);
  }
}
