import type { MessageInitShape } from '@bufbuild/protobuf';
import { IssuerError } from '@steeple/core';
import type { Clock } from '@steeple/daemon';
import type { BidiHandler, CallContext } from '@steeple/proto/grpc';
import type { agentV1 } from '@steeple/proto/server-api';
import type { NodeAttestation } from '../app/node-attestation.ts';
import { AttestationConversation } from './attestation-conversation.ts';
import { auditItem } from './audit.ts';
import { requestField } from './audit-fields.ts';
import { callerOf } from './caller.ts';
import { wireX509Svid } from './translate/svid.ts';

/** Seconds an attestation may take, its challenges included. */
const DEADLINE = 60;

/** Characters of an attestor's name in the audit log. */
const MAX_TYPE = 255;

type Request = agentV1.AttestAgentRequest;
type Response = MessageInitShape<typeof agentV1.AttestAgentResponseSchema>;

/** The AttestAgent conversation: parameters, challenges and their answers, result. */
export const attestAgent = (attestation: NodeAttestation, clock: Clock): BidiHandler<Request, Response> =>
  async function* attest(requests, ctx) {
    const stream = requests[Symbol.asyncIterator]();
    const params = readParams(await stream.next());
    // Anybody may call this: not more of it than a type can be long.
    const told: Record<string, unknown> = { node_attestor_type: params.type.slice(0, MAX_TYPE) };
    auditItem(ctx, () => ({ ...requestField(params.csr), ...told }));
    const conversation = new AttestationConversation(answers(stream), callerOf(ctx).address);
    const result = withDeadline(clock, ctx, (signal) => attestation.attest(params, conversation, signal)).finally(() =>
      conversation.finish(),
    );
    // Awaited below; until then a failure must not count as unhandled.
    result.catch(() => undefined);
    for await (const challenge of conversation.questions()) {
      yield { step: { case: 'challenge', value: Uint8Array.from(challenge) } };
    }
    const agent = await result;
    Object.assign(told, { agent_id: agent.svid.id.toString(), serial_num: agent.svid.leaf.serialDecimal });
    yield { step: { case: 'result', value: { svid: wireX509Svid(agent.svid), reattestable: agent.reattestable } } };
  };

const readParams = (first: IteratorResult<Request>): { type: string; payload: Uint8Array; csr: Uint8Array } => {
  const step = first.done ? undefined : first.value.step;
  if (step?.case !== 'params') return malformed('missing params');
  const { data, params } = step.value;
  if (!data) return malformed('missing attestation data');
  if (!params) return malformed('missing X509-SVID parameters');
  if (params.csr.length === 0) return malformed('missing CSR');
  if (data.type === '') return malformed('missing attestation data type');
  if (data.payload.length === 0) return malformed('missing attestation data payload');
  return { type: data.type, payload: data.payload, csr: params.csr };
};

async function* answers(stream: AsyncIterator<Request>): AsyncGenerator<Uint8Array, void, undefined> {
  for (;;) {
    const next = await stream.next();
    if (next.done) return;
    if (next.value.step.case !== 'challengeResponse') malformed('challenge response expected');
    yield next.value.step.value as Uint8Array;
  }
}

/** One for all: the default reason of a signal is an error with a stack, which took longer than the signature. */
const ENDED = new IssuerError('unavailable', 'the attestation has ended');

/** Runs work that must be over in time; whatever it waits for is abandoned then. */
const withDeadline = async <T>(
  clock: Clock,
  ctx: CallContext,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const over = new AbortController();
  const end = (): void => over.abort(ctx.signal.reason);
  ctx.signal.addEventListener('abort', end, { once: true });
  if (ctx.signal.aborted) end();
  const { signal } = over;
  const late = clock.sleep(DEADLINE, signal).then(
    () => {
      throw new IssuerError('unavailable', 'the attestation took too long');
    },
    () => new Promise<never>(() => undefined),
  );
  try {
    return await Promise.race([work(signal), late]);
  } finally {
    ctx.signal.removeEventListener('abort', end);
    over.abort(ENDED);
  }
};

const malformed = (inner: string): never => {
  throw new IssuerError('invalid-argument', `malformed param: ${inner}`);
};
