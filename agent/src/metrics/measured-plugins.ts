import { type CallMeter, measureCall } from '@steeple/daemon/metrics';
import type { KeyManager, WorkloadAttestor } from '@steeple/plugins';

/** The key manager, with each use counted under SPIRE's names. */
export function measuredKeyManager(keys: KeyManager, meter: CallMeter): KeyManager {
  return {
    generate: (id, type) => measureCall(meter, 'agent_key_manager.generate_key', () => keys.generate(id, type)),
    find: (id) => measureCall(meter, 'agent_key_manager.get_key', () => keys.find(id)),
    list: () => measureCall(meter, 'agent_key_manager.get_keys', () => keys.list()),
    remove: (id) => keys.remove(id),
    close: () => keys.close(),
  };
}

/** A workload attestor, with each attestation counted. */
export function measuredAttestor(attestor: WorkloadAttestor, meter: CallMeter): WorkloadAttestor {
  const labels = { attestor: attestor.type };
  return {
    type: attestor.type,
    attest: (peer, signal) =>
      measureCall(meter, 'workload_api.workload_attestor', () => attestor.attest(peer, signal), labels),
  };
}
