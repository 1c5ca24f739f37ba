import { readFile } from 'node:fs/promises';
import { type AgentRecord, agentId, IssuerError } from '@steeple/core';
import { SpiffeError, type SpiffeId, type TrustDomain } from '@steeple/spiffe';
import { z } from 'zod';
import type { JoinTokenState, JoinTokenStore } from '../datastore/join-token-store.ts';
import type { PluginDefinition } from '../plugin.ts';
import type { AttestationChannel, NodeProver, NodeVerifier, VerifiedNode } from './node-attestor.ts';

const TYPE = 'join_token';
const UNKNOWN = 'failed to attest: join token does not exist or has already been used';

/** Agent's half: the payload is the token's bytes and nothing else; there is no challenge. */
export class JoinTokenProver implements NodeProver {
  readonly type = TYPE;
  readonly #token: () => Promise<string>;

  constructor(token: () => Promise<string>) {
    this.#token = token;
  }

  async prove(channel: AttestationChannel, signal: AbortSignal): Promise<void> {
    const token = await this.#token();
    signal.throwIfAborted();
    if (token === '') throw new IssuerError('failed-precondition', 'the join token is empty');
    await channel.send(new TextEncoder().encode(token));
  }
}

/** Server's half. A token works once: it is gone, and its agent written, when `admit` resolves. */
export class JoinTokenVerifier implements NodeVerifier {
  readonly type = TYPE;
  readonly #trustDomain: TrustDomain;
  readonly #tokens: JoinTokenStore;
  readonly #now: () => number;

  /** `now` gives Unix seconds. */
  constructor(trustDomain: TrustDomain, tokens: JoinTokenStore, now: () => number) {
    this.#trustDomain = trustDomain;
    this.#tokens = tokens;
    this.#now = now;
  }

  async verify(payload: Uint8Array, _channel: AttestationChannel, signal: AbortSignal): Promise<VerifiedNode> {
    const token = readToken(payload);
    const agent = joinTokenAgentId(this.#trustDomain, token);
    signal.throwIfAborted();
    const now = this.#now();
    let state = await this.#tokens.check(token, now);
    if (state === 'expired') state = await this.#tokens.consume(token, now);
    requireOk(state);
    const admit = async (record: AgentRecord) => requireOk(await this.#tokens.consume(token, now, record));
    return { agentId: agent, selectors: [], canReattest: false, admit };
  }
}

function requireOk(state: JoinTokenState): void {
  if (state === 'expired') throw new IssuerError('invalid-argument', 'join token expired');
  if (state === 'missing') throw new IssuerError('invalid-argument', UNKNOWN);
}

function readToken(payload: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
  } catch {
    throw new IssuerError('invalid-argument', UNKNOWN);
  }
}

/** The agent that a token attests. A text that fits in no SPIFFE ID was never given out as a token. */
function joinTokenAgentId(trustDomain: TrustDomain, token: string): SpiffeId {
  try {
    return agentId(trustDomain, TYPE, token);
  } catch (error) {
    if (!(error instanceof SpiffeError)) throw error;
    throw new IssuerError('invalid-argument', UNKNOWN);
  }
}

const verifierSchema = z.strictObject({});

export const joinTokenVerifier: PluginDefinition<'node-verifier', z.infer<typeof verifierSchema>> = {
  kind: 'node-verifier',
  name: TYPE,
  schema: verifierSchema,
  create: async (_config, { trustDomain, joinTokens, clock }) =>
    new JoinTokenVerifier(trustDomain, joinTokens, () => clock.now()),
};

const proverSchema = z
  .strictObject({
    join_token: z.string().min(1).optional(),
    /** Read at each attestation; blanks and line ends around the token are dropped. */
    join_token_file: z.string().min(1).optional(),
  })
  .refine(
    (c) => c.join_token === undefined || c.join_token_file === undefined,
    'set only one of "join_token" and "join_token_file"',
  );

export const joinTokenProver: PluginDefinition<'node-prover', z.infer<typeof proverSchema>> = {
  kind: 'node-prover',
  name: TYPE,
  schema: proverSchema,
  create: async ({ join_token: token, join_token_file: file }) =>
    new JoinTokenProver(async () => {
      if (token !== undefined) return token;
      if (file !== undefined) return await tokenFromFile(file);
      throw new IssuerError(
        'failed-precondition',
        'this agent has no join token; make one with: steeple token generate',
      );
    }),
};

async function tokenFromFile(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new IssuerError('failed-precondition', `the join token file ${file} cannot be read`, { cause });
  }
}
