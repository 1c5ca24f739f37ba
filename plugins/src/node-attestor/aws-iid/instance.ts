import { IssuerError } from '@steeple/core';
import type { AwsClient, AwsPlace } from './aws-client.ts';
import { instantOf } from './credentials.ts';
import { membersAt, textAt, type XmlElement } from './xml.ts';

/** What EC2's API says of a running instance. Times are Unix seconds. */
export interface Ec2Instance {
  readonly tags: ReadonlyMap<string, string>;
  readonly securityGroups: readonly { readonly id: string; readonly name: string }[];
  readonly profileArn: string | undefined;
  readonly rootDeviceType: string;
  readonly rootDeviceName: string;
  readonly devices: readonly { readonly name: string; readonly attachedAt: number | undefined }[];
  readonly interfaces: readonly { readonly index: string; readonly attachedAt: number | undefined }[];
}

/**
 * Asks for an instance that is pending or running.
 *
 * @throws {IssuerError} `permission-denied` if there is none
 */
export async function describeInstance(
  client: AwsClient,
  place: AwsPlace,
  instanceId: string,
  signal: AbortSignal,
): Promise<Ec2Instance> {
  const parameters = {
    Action: 'DescribeInstances',
    Version: '2016-11-15',
    'InstanceId.1': instanceId,
    'Filter.1.Name': 'instance-state-name',
    'Filter.1.Value.1': 'pending',
    'Filter.1.Value.2': 'running',
  };
  const answer = await client.query('ec2', place, parameters, signal);
  const reservations = membersAt(answer, 'reservationSet');
  const instances = reservations.flatMap((reservation) => membersAt(reservation, 'instancesSet'));
  const instance = instances.find((one) => textAt(one, 'instanceId') === instanceId);
  if (instance !== undefined) return readInstance(instance);
  throw new IssuerError('permission-denied', 'aws_iid: EC2 knows no running instance of this ID');
}

function readInstance(element: XmlElement): Ec2Instance {
  return {
    tags: new Map(membersAt(element, 'tagSet').map((tag) => [textAt(tag, 'key') ?? '', textAt(tag, 'value') ?? ''])),
    securityGroups: membersAt(element, 'groupSet').map((group) => ({
      id: textAt(group, 'groupId') ?? '',
      name: textAt(group, 'groupName') ?? '',
    })),
    profileArn: textAt(element, 'iamInstanceProfile', 'arn'),
    rootDeviceType: textAt(element, 'rootDeviceType') ?? '',
    rootDeviceName: textAt(element, 'rootDeviceName') ?? '',
    devices: membersAt(element, 'blockDeviceMapping').map((device) => ({
      name: textAt(device, 'deviceName') ?? '',
      attachedAt: instantOf(textAt(device, 'ebs', 'attachTime')),
    })),
    interfaces: membersAt(element, 'networkInterfaceSet').map((network) => ({
      index: textAt(network, 'attachment', 'deviceIndex') ?? '',
      attachedAt: instantOf(textAt(network, 'attachment', 'attachTime')),
    })),
  };
}

/** Seconds between the first network interface and the root volume that are still one start. */
const MAX_DISPARITY = 60;

/**
 * A root volume that was attached long after the instance's first network interface may have come from another machine,
 * with somebody else's files on it.
 *
 * @throws {IssuerError} `permission-denied`
 */
export function requireUntouchedRootDevice(instance: Ec2Instance): void {
  const network = instance.interfaces.find(({ index }) => index === '0');
  if (network === undefined) throw refused('the EC2 instance network interface with device index 0 is inaccessible');
  if (instance.rootDeviceType === 'instance-store') return;
  const root = instance.devices.find(({ name }) => name === instance.rootDeviceName);
  if (root === undefined) throw refused('failed to locate the root device block mapping');
  const disparity = Math.abs((network.attachedAt ?? Number.NaN) - (root.attachedAt ?? Number.NaN));
  // Written so that a time that is missing refuses.
  if (disparity <= MAX_DISPARITY) return;
  throw refused('the root volume was not attached when the instance started');
}

/**
 * The ARNs of the roles in an instance profile.
 *
 * @throws {IssuerError} `internal` for an ARN that names no instance profile
 */
export async function rolesOf(
  client: AwsClient,
  place: AwsPlace,
  profileArn: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const resource = /^arn:[\w-]+:iam:[\w-]*:\d*:instance-profile[/:](?:[\x21-\x7e]+\/)?(?<name>[\w+=,.@-]{1,128})$/.exec(
    profileArn,
  );
  const name = resource?.groups?.['name'];
  if (name === undefined) throw new IssuerError('internal', 'aws_iid: the ARN is not of an instance profile');
  const parameters = { Action: 'GetInstanceProfile', Version: '2010-05-08', InstanceProfileName: name };
  const answer = await client.query('iam', place, parameters, signal);
  const roles = membersAt(answer, 'GetInstanceProfileResult', 'InstanceProfile', 'Roles');
  return roles.flatMap((role) => textAt(role, 'Arn') ?? []);
}

function refused(reason: string): IssuerError {
  return new IssuerError('permission-denied', `failed aws ec2 attestation: ${reason}`);
}
