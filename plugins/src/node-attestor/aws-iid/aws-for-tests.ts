import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { awsSignedData, type CmsOptions } from '../cloud/cms-for-tests.ts';
import { StandIn, type StandInAnswer, type StandInRequest } from '../cloud/http-for-tests.ts';
import { issue } from '../x509pop/certificates-for-tests.ts';

/** An instance as the stand-in for AWS knows it. */
export const INSTANCE = {
  accountId: '123456789012',
  region: 'test-local-1',
  instanceId: 'i-0140f65cf5b9ba76a',
  profile: 'arn:aws:iam::123456789012:instance-profile/team/blog',
};

const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const issued = issue({ key, commonName: 'stand-in for AWS' });
/** Signs the documents of the region. */
export const SIGNER = { certificate: new X509Certificate(issued.certificate.raw), key };

export type Fields = Readonly<Record<string, string | null>>;

/** An instance identity document in the very form of the real ones. */
export function documentOf(fields: Fields = {}): string {
  const members: Fields = {
    accountId: INSTANCE.accountId,
    architecture: 'x86_64',
    availabilityZone: `${INSTANCE.region}a`,
    billingProducts: null,
    devpayProductCodes: null,
    marketplaceProductCodes: null,
    imageId: 'ami-07cc75e9e8f9300eb',
    instanceId: INSTANCE.instanceId,
    instanceType: 't2.micro',
    kernelId: null,
    pendingTime: '2030-01-01T00:00:00Z',
    privateIp: '10.222.0.193',
    ramdiskId: null,
    region: INSTANCE.region,
    version: '2017-09-30',
    ...fields,
  };
  const lines = Object.entries(members).map(([name, value]) => `  "${name}" : ${JSON.stringify(value)}`);
  return `{\n${lines.join(',\n')}\n}`;
}

/** In lines of 76 characters, as the metadata service writes base64. */
const inLines = (bytes: Uint8Array): string =>
  (
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  ).join('\n');

export const rsa2048Of = (document: string, signer = SIGNER, options: CmsOptions = {}): string =>
  inLines(awsSignedData(Buffer.from(document), signer, options));

export const payloadOf = (parts: { document: string; rsa2048?: string; signature?: string }): Uint8Array =>
  Buffer.from(JSON.stringify({ signature: '', rsa2048: '', ...parts }));

/** EC2's instance metadata service, version 2 only. */
export function listenAsMetadataService(document: () => string = documentOf): Promise<StandIn> {
  return StandIn.listen(({ method, url, headers }) => {
    if (method === 'PUT') {
      if (url.pathname !== '/latest/api/token' || !headers['x-aws-ec2-metadata-token-ttl-seconds'])
        return { status: 400 };
      return { status: 200, body: 'a-session-token==', headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '300' } };
    }
    if (headers['x-aws-ec2-metadata-token'] !== 'a-session-token==') return { status: 401 };
    const text = document();
    const parts: Record<string, () => string> = {
      document: () => text,
      rsa2048: () => rsa2048Of(text),
      signature: () => inLines(sign('sha256', Buffer.from(text), SIGNER.key)),
    };
    return parts[url.pathname.replace('/latest/dynamic/instance-identity/', '')]?.();
  });
}

export interface AwsAnswers {
  /** Replaces the answer to an action; may answer another status. */
  readonly [action: string]: (parameters: URLSearchParams, request: StandInRequest) => StandInAnswer;
}

/** AWS's APIs, answering as they do. */
export function listenAsAws(answers: AwsAnswers = {}): Promise<StandIn> {
  return StandIn.listen((request) => {
    const parameters = new URLSearchParams(request.body);
    const action = parameters.get('Action') ?? String(request.headers['x-amz-target'] ?? request.url.pathname);
    return (answers[action] ?? ANSWERS[action])?.(parameters, request);
  });
}

const ANSWERS: AwsAnswers = {
  DescribeInstances: () => instancesAnswer(),
  GetInstanceProfile: () =>
    `<GetInstanceProfileResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetInstanceProfileResult>
<InstanceProfile><Roles><member><Path>/</Path><Arn>arn:aws:iam::123456789012:role/Blog</Arn></member></Roles>
<InstanceProfileName>blog</InstanceProfileName></InstanceProfile></GetInstanceProfileResult></GetInstanceProfileResponse>`,
  AssumeRole: (parameters) => assumedAnswer('AssumeRole', parameters.get('RoleArn') ?? ''),
  AssumeRoleWithWebIdentity: (parameters) =>
    assumedAnswer('AssumeRoleWithWebIdentity', parameters.get('RoleArn') ?? ''),
};

function assumedAnswer(action: string, role: string): string {
  return `<${action}Response><${action}Result><Credentials><AccessKeyId>for-${role.split('/').at(-1)}</AccessKeyId>
<SecretAccessKey>assumed</SecretAccessKey><SessionToken>session</SessionToken>
<Expiration>2031-01-01T00:00:00Z</Expiration></Credentials></${action}Result></${action}Response>`;
}

export interface InstanceParts {
  readonly rootAttached?: string;
  readonly instanceId?: string;
  readonly more?: string;
  readonly rootDeviceType?: string;
  readonly device?: string;
}

export function instancesAnswer(parts: InstanceParts = {}): string {
  const { rootAttached = '2030-01-01T00:00:10.000Z', instanceId = INSTANCE.instanceId, more = '' } = parts;
  const { rootDeviceType = 'ebs', device = '/dev/xvda' } = parts;
  return `<?xml version="1.0" encoding="UTF-8"?>
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>8f7724cf</requestId><reservationSet>
<item><reservationId>r-1</reservationId><ownerId>123456789012</ownerId><groupSet/><instancesSet><item>
<instanceId>${instanceId}</instanceId><instanceState><code>16</code><name>running</name></instanceState>
<rootDeviceType>${rootDeviceType}</rootDeviceType><rootDeviceName>/dev/xvda</rootDeviceName><blockDeviceMapping><item>
<deviceName>${device}</deviceName><ebs><volumeId>vol-1</volumeId><attachTime>${rootAttached}</attachTime></ebs></item>
</blockDeviceMapping><groupSet><item><groupId>sg-01234567</groupId><groupName>blog &amp; co</groupName></item></groupSet>
<tagSet><item><key>Name</key><value>blog</value></item><item><key>empty</key><value/></item></tagSet>
<iamInstanceProfile><arn>${INSTANCE.profile}</arn><id>A</id></iamInstanceProfile><networkInterfaceSet><item>
<networkInterfaceId>eni-1</networkInterfaceId><attachment><deviceIndex>0</deviceIndex>
<attachTime>2030-01-01T00:00:00.000Z</attachTime></attachment></item></networkInterfaceSet>${more}
</item></instancesSet></item></reservationSet></DescribeInstancesResponse>`;
}
