import { afterAll, expect, it } from 'vitest';
import { callOutside } from '../cloud/call-outside.ts';
import { StandIn } from '../cloud/http-for-tests.ts';
import { TestPlace } from '../cloud/place-for-tests.ts';
import { NOW } from '../x509pop/certificates-for-tests.ts';
import { AwsClient } from './aws-client.ts';
import { instancesAnswer, listenAsAws } from './aws-for-tests.ts';

const place = new TestPlace();
afterAll(() => place[Symbol.dispose]());
const { signal } = new AbortController();

async function ask(environment: Record<string, string>, now = () => NOW) {
  const api = await listenAsAws({ DescribeInstances: () => instancesAnswer() });
  const client = new AwsClient({
    partition: 'aws',
    credentials: { environment },
    endpoint: new URL(api.address),
    ask: callOutside,
    now,
  });
  const describe = () => client.query('ec2', { region: 'us-west-2' }, { Action: 'DescribeInstances' }, signal);
  return { api, describe, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
}
const usedBy = (api: StandIn) => /Credential=([^/]+)/.exec(api.requests.at(-1)?.headers.authorization ?? '')?.[1];
const answer = (id: string, until = '2030-01-01T01:00:00Z') =>
  JSON.stringify({ AccessKeyId: id, SecretAccessKey: 's', Token: 't', Expiration: until });

it('takes the keys of the environment', async () => {
  await using aws = await ask({ AWS_ACCESS_KEY_ID: 'env', AWS_SECRET_ACCESS_KEY: 's' });
  await aws.describe();
  expect(usedBy(aws.api)).toBe('env');
});

it("takes a pod's web identity, unsigned", async () => {
  const AWS_WEB_IDENTITY_TOKEN_FILE = place.file('a.b.c\n');
  await using aws = await ask({ AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN: 'arn:aws:iam::1:role/pod' });
  await aws.describe();
  const [assume] = aws.api.requests;
  expect(new URLSearchParams(assume?.body).get('WebIdentityToken')).toBe('a.b.c');
  expect(assume?.headers.authorization).toBeUndefined();
  expect(usedBy(aws.api)).toBe('for-pod');
});

it("takes the container's, from this machine only", async () => {
  await using agent = await StandIn.listen(({ headers }) =>
    headers.authorization === 'pass' ? answer('pod') : { status: 401 },
  );
  await using aws = await ask({
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${agent.address}/v1/credentials`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: place.file('pass'),
  });
  await aws.describe();
  expect(usedBy(aws.api)).toBe('pod');
  await using lured = await ask({ AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://evil.test/' });
  await expect(lured.describe()).rejects.toMatchObject({ code: 'failed-precondition' });
});

it("takes the instance profile's, and again shortly before they end", async () => {
  let now = NOW;
  let issued = 0;
  await using metadata = await StandIn.listen(({ method, url, headers }) => {
    if (method === 'PUT') return 'token';
    if (headers['x-aws-ec2-metadata-token'] !== 'token') return { status: 401 };
    const below = url.pathname.replace('/latest/meta-data/iam/security-credentials/', '');
    return below === '' ? 'server-role' : answer(`${below}-${++issued}`);
  });
  await using aws = await ask({ AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.address }, () => now);
  await aws.describe();
  await aws.describe();
  expect(usedBy(aws.api)).toBe('server-role-1');
  now += 3301;
  await aws.describe();
  expect(usedBy(aws.api)).toBe('server-role-2');
});
