import { afterAll, describe, expect, it } from 'vitest';
import {
  type AwsAnswers,
  documentOf,
  INSTANCE,
  instancesAnswer,
  listenAsAws,
  listenAsMetadataService,
  payloadOf,
  rsa2048Of,
  SIGNER,
} from './aws-iid/aws-for-tests.ts';
import { awsIidProver, awsIidVerifier } from './aws-iid.ts';
import { attest, ChannelPair } from './channel-for-tests.ts';
import type { StandInAnswer } from './cloud/http-for-tests.ts';
import { TestPlace } from './cloud/place-for-tests.ts';
import { nodeAttestorContract } from './node-attestor.contract.ts';

const place = new TestPlace();
afterAll(() => place[Symbol.dispose]());
const open: AsyncDisposable[] = [];
afterAll(async () => {
  for (const one of open) await one[Symbol.asyncDispose]();
});
const { signal } = new AbortController();

async function aws(config: object = {}, answers: AwsAnswers = {}) {
  const api = await listenAsAws(answers);
  open.push(api);
  const settings = {
    access_key_id: 'AKID',
    secret_access_key: 'secret',
    endpoint_url: api.address,
    signing_certificates: { [INSTANCE.region]: place.certificateFile(SIGNER.certificate) },
    ...config,
  };
  return { api, verifier: await awsIidVerifier.create(awsIidVerifier.schema.parse(settings), place.host) };
}

async function agent(document?: () => string) {
  const metadata = await listenAsMetadataService(document);
  open.push(metadata);
  const config = awsIidProver.schema.parse({ ec2_metadata_endpoint: metadata.address });
  return { metadata, prover: await awsIidProver.create(config, place.host) };
}

const present = async (config: object = {}, answers: AwsAnswers = {}) => {
  const { verifier, api } = await aws(config, answers);
  const document = documentOf();
  const payload = payloadOf({ document, rsa2048: rsa2048Of(document) });
  return { api, node: await verifier.verify(payload, new ChannelPair().server, signal) };
};

describe('aws_iid', () => {
  nodeAttestorContract(async () => ({ prover: (await agent()).prover, verifier: (await aws()).verifier }));

  it('names the agent after account, region and instance, and tells what AWS says of it', async () => {
    const pair = new ChannelPair();
    const { verifier } = await aws();
    const node = await attest((await agent()).prover, verifier, pair);
    expect(node.agentId.path).toBe(`/spire/agent/aws_iid/123456789012/test-local-1/${INSTANCE.instanceId}`);
    expect(node.canReattest).toBe(false);
    expect(node.selectors.map(({ value }) => value)).toEqual([
      'account_id:123456789012',
      'az:test-local-1a',
      'iamrole:arn:aws:iam::123456789012:role/Blog',
      'image:id:ami-07cc75e9e8f9300eb',
      `instance:id:${INSTANCE.instanceId}`,
      'region:test-local-1',
      'sg:id:sg-01234567',
      'sg:name:blog & co',
      'tag:Name:blog',
      'tag:empty:',
    ]);
    expect(pair.said).toHaveLength(1);
    const payload = JSON.parse(Buffer.from(pair.said[0]?.data ?? []).toString());
    expect(Object.keys(payload)).toEqual(['document', 'signature', 'rsa2048']);
    expect(payload.document).toBe(documentOf());
  });

  it('asks the metadata service with a session token, and nothing but a token is asked for without one', async () => {
    const { metadata, prover } = await agent();
    await prover.prove(new ChannelPair().agent, signal);
    for (const { method, headers, url } of metadata.requests) {
      if (method === 'PUT') expect(url.pathname).toBe('/latest/api/token');
      else expect(headers['x-aws-ec2-metadata-token']).toBe('a-session-token==');
    }
    expect(metadata.requests.filter(({ method }) => method === 'GET')).toHaveLength(3);
  });

  it('takes the endpoint with or without /latest, and says what is wrong without a metadata service', async () => {
    const { metadata } = await agent();
    const config = awsIidProver.schema.parse({ ec2_metadata_endpoint: `${metadata.address}/latest` });
    await (await awsIidProver.create(config, place.host)).prove(new ChannelPair().agent, signal);
    const nowhere = awsIidProver.schema.parse({ ec2_metadata_endpoint: 'http://127.0.0.1:1' });
    const proving = (await awsIidProver.create(nowhere, place.host)).prove(new ChannelPair().agent, signal);
    await expect(proving).rejects.toMatchObject({ code: 'failed-precondition' });
    await expect(proving).rejects.toThrow('session token');
  });

  it('makes the agent path of a template, of tags as well', async () => {
    const template = '{{ .PluginName }}/{{ .AccountID }}/{{ .Tags.Name }}';
    const { node } = await present({ agent_path_template: template });
    expect(node.agentId.path).toBe('/spire/agent/aws_iid/123456789012/blog');
    const missing = present({ agent_path_template: 'aws_iid/{{ .Tags.Owner }}' });
    await expect(missing).rejects.toMatchObject({ code: 'permission-denied' });
  });

  it('asks nothing of IAM if the instance profile is to be left alone', async () => {
    const { node, api } = await present({ disable_instance_profile_selectors: true });
    expect(node.selectors.some(({ value }) => value.startsWith('iamrole:'))).toBe(false);
    expect(api.requests.some(({ body }) => body.includes('GetInstanceProfile'))).toBe(false);
  });

  it('assumes the role in the account of the instance', async () => {
    const { api } = await present({ assume_role: 'spire-server-delegate' });
    const [assume, describeCall] = api.requests;
    expect(new URLSearchParams(assume?.body).get('RoleArn')).toBe(
      'arn:aws:iam::123456789012:role/spire-server-delegate',
    );
    expect(assume?.headers.authorization).toContain('Credential=AKID/');
    expect(describeCall?.headers.authorization).toContain('Credential=for-spire-server-delegate/');
    expect(describeCall?.headers['x-amz-security-token']).toBe('session');
  });
});

describe('aws_iid refuses', () => {
  it('an instance that EC2 does not know, or that it answers about another', async () => {
    const none = {
      DescribeInstances: () => '<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>',
    };
    await expect(present({}, none)).rejects.toMatchObject({ code: 'permission-denied' });
    // Also where nothing but the document would be looked at.
    await expect(present({ skip_block_device: true }, none)).rejects.toMatchObject({ code: 'permission-denied' });
    const other = { DescribeInstances: () => instancesAnswer({ instanceId: 'i-00000000' }) };
    await expect(present({}, other)).rejects.toMatchObject({ code: 'permission-denied' });
  });

  it('a root volume that came later, unless it is not to look', async () => {
    const swapped = { DescribeInstances: () => instancesAnswer({ rootAttached: '2030-01-01T00:01:01.000Z' }) };
    await expect(present({}, swapped)).rejects.toMatchObject({ code: 'permission-denied' });
    await present({ skip_block_device: true }, swapped);
    await present({ account_ids_for_local_validation: ['123456789012'] }, swapped);
    const elsewhere = present({ account_ids_for_local_validation: ['999999999999'] }, swapped);
    await expect(elsewhere).rejects.toMatchObject({ code: 'permission-denied' });
    const inTime = { DescribeInstances: () => instancesAnswer({ rootAttached: '2030-01-01T00:01:00.000Z' }) };
    await present({}, inTime);
    for (const odd of [{ rootAttached: 'soon' }, { device: '/dev/xvdb' }]) {
      const answers = { DescribeInstances: () => instancesAnswer(odd) };
      await expect(present({}, answers)).rejects.toMatchObject({ code: 'permission-denied' });
    }
    await present(
      {},
      { DescribeInstances: () => instancesAnswer({ device: '/dev/x', rootDeviceType: 'instance-store' }) },
    );
  });

  const badAnswers: readonly [string, () => StandInAnswer, string][] = [
    [
      'an error of AWS',
      () => ({ status: 403, body: '<E><Code>UnauthorizedOperation</Code><M>s3cret</M></E>' }),
      'internal',
    ],
    ['a broken AWS', () => ({ status: 503 }), 'unavailable'],
    ['garbage', () => 'not xml <', 'unavailable'],
    ['entities of its own', () => '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 'unavailable'],
    ['a redirect', () => ({ status: 302, headers: { location: 'http://127.0.0.1:1/' } }), 'internal'],
    ['without end', () => `<a>${'x'.repeat(9_000_000)}</a>`, 'unavailable'],
  ];
  it.each(badAnswers)('to go on with %s', async (_name, answer, code) => {
    const asking = present({}, { DescribeInstances: answer });
    await expect(asking).rejects.toMatchObject({ name: 'IssuerError', code });
    await expect(asking).rejects.not.toThrow('s3cret');
  });

  it('to name roles of what is no instance profile', async () => {
    const arn = 'arn:aws:iam::123456789012:user/x';
    const answers = { DescribeInstances: () => instancesAnswer().replace(INSTANCE.profile, arn) };
    await expect(present({}, answers)).rejects.toMatchObject({ code: 'internal' });
  });
});
