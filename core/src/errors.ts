/** What went wrong, as a closed set; the server maps each code to one gRPC status. */
export type IssuerErrorCode =
  | 'invalid-argument'
  | 'not-found'
  | 'already-exists'
  | 'permission-denied'
  | 'failed-precondition'
  | 'unavailable'
  | 'unimplemented'
  | 'resource-exhausted'
  | 'internal'
  | 'unauthenticated';

/** Why an agent was refused; travels to the agent as a status detail, because its reaction depends on it. */
export type AgentReason = 'expired' | 'not-attested' | 'not-active' | 'banned' | 'must-reattest';

/** A refusal by the issuer's own rules. The message may be shown to the caller and holds no secret. */
export class IssuerError extends Error {
  readonly code: IssuerErrorCode;
  readonly agentReason: AgentReason | undefined;

  constructor(code: IssuerErrorCode, message: string, options: { cause?: unknown; agentReason?: AgentReason } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'IssuerError';
    this.code = code;
    this.agentReason = options.agentReason;
  }
}
