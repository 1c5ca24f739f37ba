import { isAgentPath } from '@steeple/core';
import { describe, expect, it } from 'vitest';
import { attest, ChannelPair } from './channel-for-tests.ts';
import type { NodeProver, NodeVerifier } from './node-attestor.ts';

/** What both halves of every attestor must do together. `make` gives a pair that convinces. */
export function nodeAttestorContract(make: () => Promise<{ prover: NodeProver; verifier: NodeVerifier }>): void {
  describe('both halves', () => {
    it('agree on a type, and attest an agent of it', async () => {
      const { prover, verifier } = await make();
      expect(prover.type).toBe(verifier.type);
      const { agentId, selectors } = await attest(prover, verifier);
      expect(isAgentPath(agentId.path)).toBe(true);
      expect(agentId.path.startsWith(`/spire/agent/${verifier.type}/`)).toBe(true);
      expect(selectors.every(({ type, value }) => type === verifier.type && value !== '')).toBe(true);
      const texts = selectors.map(({ value }) => value);
      expect(new Set(texts).size).toBe(texts.length);
    });

    it('attest again exactly if the verifier says so', async () => {
      const { prover, verifier } = await make();
      const first = await attest(prover, verifier);
      const second = attest(prover, verifier);
      // What is trusted on first use the server refuses, who knows the agents.
      if (first.canReattest || first.admit === undefined)
        expect((await second).agentId.equals(first.agentId)).toBe(true);
      else await expect(second).rejects.toMatchObject({ code: 'invalid-argument' });
    });

    it('stop when they are told to', async () => {
      const { prover, verifier } = await make();
      const aborted = AbortSignal.abort(new Error('shutting down'));
      await expect(prover.prove(new ChannelPair().agent, aborted)).rejects.toThrow('shutting down');
      const pair = new ChannelPair();
      const proving = prover.prove(pair.agent, new AbortController().signal);
      proving.catch(() => undefined);
      const payload = await pair.server.receive();
      await expect(verifier.verify(payload, pair.server, aborted)).rejects.toThrow('shutting down');
      pair.close();
      // Nothing was used up by it.
      await attest(prover, verifier);
    });

    it.each([
      ['nothing', new Uint8Array()],
      ['zeros', new Uint8Array(64)],
      ['half a text', Uint8Array.of(0xc3)],
      ['an empty object', Buffer.from('{}')],
      ['null', Buffer.from('null')],
      ['deep nesting', Buffer.from('['.repeat(100_000))],
      ['much', Buffer.alloc(5_000_000, 0x41)],
    ])('refuse %s as a payload', async (_name, payload) => {
      const { verifier } = await make();
      const pair = new ChannelPair();
      pair.close();
      const verifying = verifier.verify(payload, pair.server, new AbortController().signal);
      await expect(verifying).rejects.toMatchObject({ name: 'IssuerError', code: 'invalid-argument' });
    });
  });
}
