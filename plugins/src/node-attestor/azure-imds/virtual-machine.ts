import { IssuerError } from '@steeple/core';
import { isJsonObject, type JsonObject, type JsonValue } from '@steeple/spiffe';
import { textOf } from '../cloud/read-json.ts';
import type { AzureApi } from './azure-api.ts';
import type { AttestedContent } from './messages.ts';

/** What Azure says of a machine. */
export interface VirtualMachine {
  readonly name: string;
  readonly location: string;
  readonly resourceGroup: string;
  readonly tags: ReadonlyMap<string, string>;
  readonly securityGroups: readonly { readonly resourceGroup: string; readonly name: string }[];
  readonly subnets: readonly { readonly network: string; readonly name: string }[];
}

const COMPUTE_VERSION = '2024-07-01';
const VM_ID =
  /^\/subscriptions\/[\w-]+\/resourceGroups\/[\w().-]+\/providers\/Microsoft\.Compute\/virtualMachines\/[\w().-]+$/i;
const SECURITY_GROUP =
  /^\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Network\/networkSecurityGroups\/([^/]+)$/i;
const SUBNET =
  /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.Network\/virtualNetworks\/([^/]+)\/subnets\/([^/]+)$/i;

/**
 * The machine in its subscription, with its network interfaces. That the tenant's own credentials see it there ties the
 * subscription to the tenant.
 *
 * @throws {IssuerError} `permission-denied` if there is not exactly one, `unavailable`
 */
export async function findMachine(
  api: AzureApi,
  document: AttestedContent,
  signal: AbortSignal,
): Promise<VirtualMachine> {
  const { vmId, subscriptionId } = document;
  const query = `Resources
| where type =~ 'microsoft.compute/virtualmachines' and tostring(properties.vmId) =~ '${vmId}'
| project id, name, location, resourceGroup, tags`;
  const row = onlyRow(await api.graph(subscriptionId, query, signal), 'virtual machine');
  const id = textOf(row, 'id') ?? '';
  if (!VM_ID.test(id)) throw new IssuerError('unavailable', "azure_imds: the machine's resource ID is malformed");
  // Resource Graph writes the same ID in different cases.
  const interfaces = `Resources
| where type =~ 'microsoft.network/networkinterfaces' and tostring(properties.virtualMachine.id) =~ '${id}'
| project name, networkSecurityGroup = properties.networkSecurityGroup, ipConfigurations = properties.ipConfigurations`;
  const networks = await api.graph(subscriptionId, interfaces, signal);
  return machineOf(row, textOf(row, 'resourceGroup') ?? '', networks);
}

/**
 * The machine among those of a scale set. The set's name comes from the agent: it is true if the machine is in it.
 *
 * @throws {IssuerError} as {@link findMachine}
 */
export async function findInScaleSet(
  api: AzureApi,
  { vmId, subscriptionId }: AttestedContent,
  name: string,
  signal: AbortSignal,
): Promise<VirtualMachine> {
  const query = `Resources
| where type =~ 'microsoft.compute/virtualmachinescalesets' and name =~ '${name}'
| project id, name, resourceGroup`;
  const set = onlyRow(await api.graph(subscriptionId, query, signal), 'virtual machine scale set');
  const resourceGroup = textOf(set, 'resourceGroup') ?? '';
  if (!/^[\w().-]{1,90}$/.test(resourceGroup))
    throw new IssuerError('unavailable', 'azure_imds: malformed resource group');
  const path = `subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Compute/virtualMachineScaleSets/${name}/virtualMachines?api-version=${COMPUTE_VERSION}`;
  for await (const machine of api.list(path, 'the machines of the scale set', signal)) {
    const properties = memberOf(machine, 'properties');
    if (textOf(properties, 'vmId')?.toLowerCase() !== vmId.toLowerCase()) continue;
    const configured = memberOf(properties, 'networkProfileConfiguration');
    const networks = listOf(configured, 'networkInterfaceConfigurations').map((one) => memberOf(one, 'properties'));
    return machineOf(machine, resourceGroup, networks);
  }
  throw new IssuerError('permission-denied', 'azure_imds: the scale set has no such machine');
}

function onlyRow(rows: readonly JsonObject[], what: string): JsonObject {
  const [row, second] = rows;
  if (row !== undefined && second === undefined) return row;
  throw new IssuerError('permission-denied', `azure_imds: Azure does not know exactly one such ${what}`);
}

function machineOf(row: JsonObject, resourceGroup: string, networks: readonly JsonObject[]): VirtualMachine {
  const text = (member: string): string => {
    const value = textOf(row, member);
    if (value) return value;
    throw new IssuerError('unavailable', `azure_imds: Azure's answer about the machine has no ${member}`);
  };
  const groups = networks.map((network) => textOf(memberOf(network, 'networkSecurityGroup'), 'id') ?? '');
  const addresses = networks.flatMap((network) => listOf(network, 'ipConfigurations'));
  const subnets = addresses.map((one) => textOf(memberOf(memberOf(one, 'properties'), 'subnet'), 'id') ?? '');
  const tags = Object.entries(memberOf(row, 'tags'));
  return {
    name: text('name'),
    location: text('location'),
    resourceGroup,
    tags: new Map(tags.filter((tag): tag is [string, string] => typeof tag[1] === 'string')),
    securityGroups: groups.flatMap((id) => {
      const [, group, name] = SECURITY_GROUP.exec(id) ?? [];
      return group !== undefined && name !== undefined ? [{ resourceGroup: group, name }] : [];
    }),
    subnets: subnets.flatMap((id) => {
      const [, network, name] = SUBNET.exec(id) ?? [];
      return network !== undefined && name !== undefined ? [{ network, name }] : [];
    }),
  };
}

function memberOf(object: JsonObject, member: string): JsonObject {
  const value = Object.hasOwn(object, member) ? object[member] : undefined;
  return isJsonObject(value) ? value : {};
}

function listOf(object: JsonObject, member: string): readonly JsonObject[] {
  const value = Object.hasOwn(object, member) ? object[member] : undefined;
  return Array.isArray(value) ? (value as readonly JsonValue[]).filter(isJsonObject) : [];
}
