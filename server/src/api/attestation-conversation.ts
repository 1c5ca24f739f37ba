import { IssuerError } from '@steeple/core';
import type { AttestationChannel } from '@steeple/plugins';

/**
 * Both directions of one attestation: the verifier asks through it, while the handler passes its questions to the
 * stream. At most one question is open at a time.
 */
export class AttestationConversation implements AttestationChannel {
  readonly peerAddress: string | undefined;
  readonly #answers: AsyncIterator<Uint8Array>;
  #question: { readonly data: Uint8Array; readonly sent: () => void } | undefined;
  #over = false;
  #wake: (() => void) | undefined;

  constructor(answers: AsyncIterable<Uint8Array>, peerAddress: string | undefined) {
    this.#answers = answers[Symbol.asyncIterator]();
    this.peerAddress = peerAddress;
  }

  send(data: Uint8Array): Promise<void> {
    if (this.#question) throw new Error('an attestation challenge is still on its way');
    return new Promise((sent) => {
      this.#question = { data, sent };
      this.#wake?.();
    });
  }

  async receive(): Promise<Uint8Array> {
    const { done, value } = await this.#answers.next();
    if (done) throw new IssuerError('invalid-argument', 'challenge response expected');
    return value;
  }

  /** The verifier's questions in their order, until `finish`. */
  async *questions(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const question = this.#question;
      if (question) {
        this.#question = undefined;
        yield question.data;
        question.sent();
      } else if (this.#over) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  /** The verifier has decided. */
  finish(): void {
    this.#over = true;
    this.#wake?.();
  }
}
