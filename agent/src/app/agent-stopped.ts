/** Why an agent cannot go on. */
export type StopReason = 'banned' | 'lost-identity' | 'attestation-refused' | 'expired';

/** The agent has no identity any more and no way to get one by itself; the message says what to do. */
export class AgentStopped extends Error {
  readonly reason: StopReason;

  constructor(reason: StopReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AgentStopped';
    this.reason = reason;
  }
}
