import type { DiscoveryRequest, Node } from '@steeple/proto/envoy';

const SWITCH = 'disable_spiffe_cert_validation';
const TRUE: readonly string[] = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE: readonly string[] = ['0', 'f', 'F', 'FALSE', 'false', 'False'];

/** Whether the proxy that asks is to verify peers by SPIFFE's rules: if it can, and neither we nor its node say no. */
export function verifiesPerTrustDomain(node: Node | undefined, disabled: boolean): boolean {
  return !(switchOf(node) ?? disabled) && hasValidator(node);
}

/** Envoy has the validator since 1.17, SPIRE believes in it from 1.18 on. Without a version it is taken for new. */
function hasValidator(node: Node | undefined): boolean {
  if (node?.userAgentVersionType.case !== 'userAgentBuildVersion') return true;
  const { majorNumber = 0, minorNumber = 0 } = node.userAgentVersionType.value.version ?? {};
  return majorNumber > 1 || (majorNumber === 1 && minorNumber > 17);
}

/** What the node's metadata says; undefined if it says nothing that makes sense. */
function switchOf(node: Node | undefined): boolean | undefined {
  const metadata = node?.metadata ?? {};
  const value = Object.hasOwn(metadata, SWITCH) ? metadata[SWITCH] : undefined;
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return undefined;
  if (TRUE.includes(value)) return true;
  return FALSE.includes(value) ? false : undefined;
}

/** Whether a request asks for other names than the one before it; the order says nothing. */
export function namesChanged(before: DiscoveryRequest, after: DiscoveryRequest): boolean {
  const known = new Set(before.resourceNames);
  return (
    before.resourceNames.length !== after.resourceNames.length || after.resourceNames.some((name) => !known.has(name))
  );
}
