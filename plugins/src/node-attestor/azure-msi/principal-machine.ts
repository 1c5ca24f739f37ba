import { IssuerError } from '@steeple/core';
import { isJsonObject, type JsonObject, type JsonValue } from '@steeple/spiffe';
import type { AzureApi } from '../azure-imds/azure-api.ts';
import { textOf } from '../cloud/read-json.ts';

const RESOURCES_VERSION = '2021-04-01';
const COMPUTE_VERSION = '2024-07-01';
const NETWORK_VERSION = '2024-05-01';
const NAME = String.raw`[\w().-]+`;
const below = (kind: string): RegExp =>
  new RegExp(`^/subscriptions/[\\w-]+/resourceGroups/(${NAME})/providers/${kind}$`, 'i');
const MACHINE = below(`Microsoft\\.Compute/virtualMachines/(${NAME})`);
const INTERFACE = below(`Microsoft\\.Network/networkInterfaces/(${NAME})`);
const SECURITY_GROUP = below(`Microsoft\\.Network/networkSecurityGroups/(${NAME})`);
const SUBNET = below(`Microsoft\\.Network/virtualNetworks/(${NAME})/subnets/(${NAME})`);

/**
 * The selector values that Resource Manager knows of the machine whose identity a principal is.
 *
 * @throws {IssuerError} `permission-denied` unless there is exactly one, `unavailable`
 */
export async function principalSelectors(
  api: AzureApi,
  subscriptionId: string,
  principalId: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const id = await machineOf(api, subscriptionId, principalId, signal);
  const [, group, name] = partsOf(MACHINE, id, 'virtual machine');
  const machine = await api.get(`${id}?api-version=${COMPUTE_VERSION}`, 'the virtual machine', signal);
  const interfaces = listOf(memberOf(machine, 'properties', 'networkProfile'), 'networkInterfaces');
  const values = [`subscription-id:${subscriptionId}`, `vm-name:${group}:${name}`];
  for (const reference of interfaces) {
    const at = textOf(reference, 'id');
    if (at !== undefined) values.push(...(await networkValues(api, at, signal)));
  }
  return values;
}

async function machineOf(
  api: AzureApi,
  subscriptionId: string,
  principalId: string,
  signal: AbortSignal,
): Promise<string> {
  const filter = `resourceType eq 'Microsoft.Compute/virtualMachines' and identity/principalId eq '${principalId}'`;
  const query = new URLSearchParams({ $filter: filter, 'api-version': RESOURCES_VERSION });
  const ids: string[] = [];
  const path = `subscriptions/${subscriptionId}/resources?${query}`;
  for await (const resource of api.list(path, 'the machines of the principal', signal))
    ids.push(textOf(resource, 'id') ?? '');
  const [id, second] = ids;
  if (id !== undefined && second === undefined) return id;
  throw new IssuerError('permission-denied', 'azure_msi: Azure does not know exactly one machine of the principal');
}

async function networkValues(api: AzureApi, id: string, signal: AbortSignal): Promise<readonly string[]> {
  partsOf(INTERFACE, id, 'network interface');
  const network = await api.get(`${id}?api-version=${NETWORK_VERSION}`, 'a network interface', signal);
  const properties = memberOf(network, 'properties');
  const values: string[] = [];
  const group = textOf(memberOf(properties, 'networkSecurityGroup'), 'id');
  if (group !== undefined) {
    const [, resourceGroup, name] = partsOf(SECURITY_GROUP, group, 'network security group');
    values.push(`network-security-group:${resourceGroup}:${name}`);
  }
  for (const configuration of listOf(properties, 'ipConfigurations')) {
    const subnet = textOf(memberOf(configuration, 'properties', 'subnet'), 'id');
    if (subnet === undefined) continue;
    const [, resourceGroup, network, name] = partsOf(SUBNET, subnet, 'virtual network subnet');
    values.push(
      `virtual-network:${resourceGroup}:${network}`,
      `virtual-network-subnet:${resourceGroup}:${network}:${name}`,
    );
  }
  return values;
}

function partsOf(form: RegExp, id: string, what: string): RegExpExecArray {
  const parts = form.exec(id);
  if (parts === null) throw new IssuerError('unavailable', `azure_msi: malformed ${what} ID in Azure's answer`);
  return parts;
}

function memberOf(object: JsonObject, ...path: readonly string[]): JsonObject {
  return path.reduce<JsonObject>((at, name) => {
    const value = Object.hasOwn(at, name) ? at[name] : undefined;
    return isJsonObject(value) ? value : {};
  }, object);
}

function listOf(object: JsonObject, member: string): readonly JsonObject[] {
  const value = Object.hasOwn(object, member) ? object[member] : undefined;
  return Array.isArray(value) ? (value as readonly JsonValue[]).filter(isJsonObject) : [];
}
