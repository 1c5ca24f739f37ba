/** Groups of regions that share nothing, identities least of all. */
export const PARTITIONS = ['aws', 'aws-cn', 'aws-us-gov', 'aws-eusc'] as const;
export type Partition = (typeof PARTITIONS)[number];

interface PartitionRow {
  readonly regions: RegExp;
  readonly domain: string;
  /** Where the partition's global services are signed for, and how their hosts are called. */
  readonly iam: readonly [host: string, region: string];
  readonly organizations: readonly [host: string, region: string];
}

const ROWS: Readonly<Record<Partition, PartitionRow>> = {
  'aws-cn': {
    regions: /^cn-/,
    domain: 'amazonaws.com.cn',
    iam: ['iam.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
    organizations: ['organizations.cn-northwest-1.amazonaws.com.cn', 'cn-northwest-1'],
  },
  'aws-us-gov': {
    regions: /^us-gov-/,
    domain: 'amazonaws.com',
    iam: ['iam.us-gov.amazonaws.com', 'us-gov-west-1'],
    organizations: ['organizations.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
  },
  'aws-eusc': {
    regions: /^eusc-/,
    domain: 'amazonaws.eu',
    iam: ['iam.eusc-de-east-1.amazonaws.eu', 'eusc-de-east-1'],
    organizations: ['organizations.eusc-de-east-1.amazonaws.eu', 'eusc-de-east-1'],
  },
  aws: {
    regions: /^/,
    domain: 'amazonaws.com',
    iam: ['iam.amazonaws.com', 'us-east-1'],
    organizations: ['organizations.us-east-1.amazonaws.com', 'us-east-1'],
  },
};

export type AwsService = 'ec2' | 'iam' | 'sts' | 'organizations' | 'eks' | 'autoscaling';

/** Where a service is asked, and the region that the request is signed for. */
export interface ServiceEndpoint {
  readonly service: AwsService;
  readonly url: URL;
  readonly region: string;
}

export function partitionOf(region: string): Partition {
  return PARTITIONS.find((partition) => partition !== 'aws' && ROWS[partition].regions.test(region)) ?? 'aws';
}

/** The endpoint of a service in a region of the partition; `override` stands in for all of them. */
export function endpointOf(
  partition: Partition,
  service: AwsService,
  region: string,
  override: URL | undefined,
): ServiceEndpoint {
  const row = ROWS[partition];
  const [host, signedFor] =
    service === 'iam' || service === 'organizations' ? row[service] : [`${service}.${region}.${row.domain}`, region];
  return { service, region: signedFor, url: override ?? new URL(`https://${host}/`) };
}
