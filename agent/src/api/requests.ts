import { Code, GrpcError } from '@steeple/proto/grpc';
import { SpiffeError, SpiffeId } from '@steeple/spiffe';
import type { AgentEntry } from '../app/agent-entry.ts';
import { noIdentity } from '../app/no-identity.ts';
import type { WorkloadView } from '../app/workload-view.ts';

/** A mandatory field (Workload API section 4.5). */
export function requireText(value: string, name: string): string {
  if (value === '') throw GrpcError.of(Code.INVALID_ARGUMENT, `${name} must be specified`);
  return value;
}

/** The audiences asked for, exactly as given. */
export function readAudience(audience: readonly string[]): readonly string[] {
  if (audience.length === 0) throw GrpcError.of(Code.INVALID_ARGUMENT, 'audience must be specified');
  for (const one of audience) {
    if (one === '') throw GrpcError.of(Code.INVALID_ARGUMENT, 'audience must not be empty');
  }
  return audience;
}

/**
 * Chooses among what a caller is entitled to: everything, or the one identity that it names. One that is not the caller's
 * is refused like one that does not exist.
 */
export function selectEntries(spiffeId: string): (view: WorkloadView) => readonly AgentEntry[] {
  if (spiffeId === '') return ({ entries }) => entries;
  const wanted = readId(spiffeId);
  return ({ entries }) => {
    const found = entries.filter((entry) => entry.spiffeId.equals(wanted));
    if (found.length === 0) throw noIdentity();
    return found;
  };
}

function readId(text: string): SpiffeId {
  try {
    return SpiffeId.parse(text);
  } catch (error) {
    if (!(error instanceof SpiffeError)) throw error;
    throw new GrpcError(Code.INVALID_ARGUMENT, `invalid requested SPIFFE ID: ${error.message}`, { cause: error });
  }
}
