import { describe, expect, it } from 'vitest';
import { AttestationConversation } from './attestation-conversation.ts';

async function* answers(...all: number[]): AsyncGenerator<Uint8Array> {
  for (const one of all) yield Uint8Array.of(one);
}

const asked = async (conversation: AttestationConversation): Promise<number[]> => {
  const all: number[] = [];
  for await (const question of conversation.questions()) all.push(question[0] ?? -1);
  return all;
};

describe('AttestationConversation', () => {
  it('passes questions on in their order and answers back', async () => {
    const conversation = new AttestationConversation(answers(11, 12), '192.0.2.1');
    const heard: number[] = [];
    const verify = async (): Promise<void> => {
      for (const question of [1, 2]) {
        await conversation.send(Uint8Array.of(question));
        heard.push((await conversation.receive())[0] ?? -1);
      }
      conversation.finish();
    };
    const [questions] = await Promise.all([asked(conversation), verify()]);
    expect(questions).toEqual([1, 2]);
    expect(heard).toEqual([11, 12]);
    expect(conversation.peerAddress).toBe('192.0.2.1');
  });

  it('ends without a question when none is asked, decided before or after it is read', async () => {
    const early = new AttestationConversation(answers(), undefined);
    early.finish();
    expect(await asked(early)).toEqual([]);
    const late = new AttestationConversation(answers(), undefined);
    const questions = asked(late);
    late.finish();
    expect(await questions).toEqual([]);
  });

  it('refuses an agent that goes silent', async () => {
    await expect(new AttestationConversation(answers(), undefined).receive()).rejects.toThrow(
      'challenge response expected',
    );
  });
});
