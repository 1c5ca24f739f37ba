import { IssuerError } from '@steeple/core';
import type { JsonValue } from '@steeple/spiffe';
import { isJsonObject } from '@steeple/spiffe';
import type { AwsClient, AwsPlace } from './aws-client.ts';
import { membersAt, textAt } from './xml.ts';

/** A limit on answers that go on for ever. */
const MAX_PAGES = 1000;
/** Names become part of paths. */
const NAME = /^[\w-]{1,128}$/;

/**
 * The instances of EKS clusters: of each cluster the node groups, of each node group the auto scaling groups, of each of
 * them the instances.
 *
 * @throws {IssuerError} `unavailable`, `internal`
 */
export async function clusterNodes(
  client: AwsClient,
  place: AwsPlace,
  clusters: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const nodes = new Set<string>();
  for (const cluster of clusters) {
    for (const group of await nodeGroups(client, place, cluster, signal)) {
      for (const scaling of await scalingGroups(client, place, cluster, group, signal)) {
        for (const instance of await instancesOf(client, place, scaling, signal)) nodes.add(instance);
      }
    }
  }
  return nodes;
}

function nodeGroups(client: AwsClient, place: AwsPlace, cluster: string, signal: AbortSignal): Promise<string[]> {
  return everyPage(async (token) => {
    const query = token === undefined ? '' : `?nextToken=${encodeURIComponent(token)}`;
    const call = { what: 'ListNodegroups', path: `clusters/${cluster}/node-groups${query}` };
    const answer = await client.json('eks', place, call, signal);
    const next = answer['nextToken'];
    return { items: textsOf(answer['nodegroups']), next: typeof next === 'string' ? next : undefined };
  });
}

async function scalingGroups(
  client: AwsClient,
  place: AwsPlace,
  cluster: string,
  group: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (!NAME.test(group)) throw new IssuerError('unavailable', 'EKS has a node group with an unusable name');
  const call = { what: 'DescribeNodegroup', path: `clusters/${cluster}/node-groups/${group}` };
  const answer = await client.json('eks', place, call, signal);
  const resources = isJsonObject(answer['nodegroup']) ? answer['nodegroup']['resources'] : undefined;
  const groups = isJsonObject(resources) ? resources['autoScalingGroups'] : undefined;
  return Array.isArray(groups)
    ? (groups as readonly JsonValue[]).flatMap((one) => textsOf(isJsonObject(one) ? [one['name'] ?? null] : []))
    : [];
}

function instancesOf(client: AwsClient, place: AwsPlace, group: string, signal: AbortSignal): Promise<string[]> {
  return everyPage(async (token) => {
    const parameters = {
      Action: 'DescribeAutoScalingGroups',
      Version: '2011-01-01',
      'AutoScalingGroupNames.member.1': group,
      ...(token === undefined ? {} : { NextToken: token }),
    };
    const answer = await client.query('autoscaling', place, parameters, signal);
    const groups = membersAt(answer, 'DescribeAutoScalingGroupsResult', 'AutoScalingGroups');
    const items = groups.flatMap((one) => membersAt(one, 'Instances')).map((one) => textAt(one, 'InstanceId') ?? '');
    return { items, next: textAt(answer, 'DescribeAutoScalingGroupsResult', 'NextToken') || undefined };
  });
}

async function everyPage(
  ask: (token: string | undefined) => Promise<{ items: readonly string[]; next: string | undefined }>,
): Promise<string[]> {
  const all: string[] = [];
  let token: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { items, next } = await ask(token);
    all.push(...items);
    if (next === undefined) return all;
    token = next;
  }
  throw new IssuerError('unavailable', "an answer of AWS's API does not end");
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}
