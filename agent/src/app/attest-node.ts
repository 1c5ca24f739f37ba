import type { AttestationChannel, NodeProver } from '@steeple/plugins';
import { Code, createClient, GrpcError } from '@steeple/proto/grpc';
import { agentV1, bundleV1 } from '@steeple/proto/server-api';
import type { Certificate, TrustBundle } from '@steeple/spiffe';
import { Outbox } from './outbox.ts';
import { dialSettings, type ServerTarget } from './server-link.ts';
import { readBundle, readChain } from './server-wire.ts';

/** What an attestation yields. */
export interface AttestedAgent {
  readonly chain: readonly Certificate[];
  readonly reattestable: boolean;
  readonly bundle: TrustBundle;
}

type Step = agentV1.AttestAgentResponse['step'];

/** Attests this node, on a connection of its own that presents no certificate. A refusal is the server's GrpcError. */
export async function attestNode(
  target: ServerTarget,
  prover: NodeProver,
  csr: Uint8Array,
  options: { readonly signal: AbortSignal; readonly deadline: number },
): Promise<AttestedAgent> {
  const settings = dialSettings(target);
  const agent = createClient(agentV1.Agent, settings);
  const bundle = createClient(bundleV1.Bundle, settings);
  try {
    const { svid, reattestable } = await converse(agent, prover, csr, options);
    const chain = readChain(svid);
    return { chain, reattestable, bundle: readBundle(await bundle.getBundle({}, options), target.trustDomain) };
  } finally {
    agent.close();
    bundle.close();
  }
}

async function converse(
  agent: { attestAgent: ReturnType<typeof createClient<typeof agentV1.Agent>>['attestAgent'] },
  prover: NodeProver,
  csr: Uint8Array,
  options: { readonly signal: AbortSignal; readonly deadline: number },
): Promise<agentV1.AttestAgentResponse_Result> {
  const requests = new Outbox<Parameters<typeof agent.attestAgent>[0] extends AsyncIterable<infer R> ? R : never>();
  const answers = agent.attestAgent(requests, options)[Symbol.asyncIterator]();
  const next = async (): Promise<Step> => {
    const { done, value } = await answers.next();
    if (done === true) throw GrpcError.of(Code.INTERNAL, 'the server ended the attestation without a result');
    return value.step;
  };
  let opened = false;
  const channel: AttestationChannel = {
    async send(data) {
      const own = data as Uint8Array<ArrayBuffer>;
      if (opened) {
        requests.send({ step: { case: 'challengeResponse', value: own } });
      } else {
        opened = true;
        const params = { data: { type: prover.type, payload: own }, params: { csr: csr as Uint8Array<ArrayBuffer> } };
        requests.send({ step: { case: 'params', value: params } });
      }
    },
    async receive() {
      const step = await next();
      if (step.case === 'challenge') return step.value;
      throw GrpcError.of(Code.INTERNAL, 'the server sent a result where its challenge was expected');
    },
  };
  const over = new AbortController();
  try {
    await prover.prove(channel, AbortSignal.any([options.signal, over.signal]));
    const step = await next();
    if (step.case === 'result') return step.value;
    throw GrpcError.of(Code.INTERNAL, 'the server sent a challenge where its result was expected');
  } finally {
    over.abort();
    requests.end();
    await answers.return?.();
  }
}
