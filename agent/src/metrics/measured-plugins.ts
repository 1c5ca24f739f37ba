import { type CallMeter, measureCall } from '@steeple/daemon/metrics';
import type { KeyManager } from '@steeple/plugins';

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
