import { afterAll, describe, expect, it } from 'vitest';
import { awsIidVerifier } from '../aws-iid.ts';
import { ChannelPair } from '../channel-for-tests.ts';
import { TestPlace } from '../cloud/place-for-tests.ts';
import { type AwsAnswers, documentOf, INSTANCE, listenAsAws, payloadOf, rsa2048Of, SIGNER } from './aws-for-tests.ts';

const place = new TestPlace();
afterAll(() => place[Symbol.dispose]());
const { signal } = new AbortController();

async function server(config: object, answers: AwsAnswers = {}) {
  const api = await listenAsAws(answers);
  const settings = {
    access_key_id: 'AKID',
    secret_access_key: 'secret',
    endpoint_url: api.address,
    signing_certificates: { [INSTANCE.region]: place.certificateFile(SIGNER.certificate) },
    ...config,
  };
  const verifier = await awsIidVerifier.create(awsIidVerifier.schema.parse(settings), place.host);
  const document = documentOf();
  const payload = payloadOf({ document, rsa2048: rsa2048Of(document) });
  return {
    api,
    attest: () => verifier.verify(payload, new ChannelPair().server, signal),
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}
const stranger = {
  code: 'permission-denied',
  message: expect.stringContaining('no active one of the configured organization'),
};

describe('verify_organization', () => {
  const organization = { management_account_id: '111111111111', assume_org_role: 'lister' };
  const pages = (accounts: () => object[]): AwsAnswers => ({
    'AWSOrganizationsV20161128.ListAccounts': (_parameters, { body }) => {
      const { NextToken: at = '0' } = JSON.parse(body) as { NextToken?: string };
      const [account] = accounts().slice(Number(at));
      const more = Number(at) + 1 < accounts().length;
      return JSON.stringify({ Accounts: [account], ...(more ? { NextToken: String(Number(at) + 1) } : {}) });
    },
  });

  it('lets in active accounts, read page by page as the role of the management account', async () => {
    const accounts = [
      { Id: '222222222222', Status: 'ACTIVE' },
      { Id: INSTANCE.accountId, Status: 'ACTIVE' },
    ];
    await using one = await server(
      { verify_organization: organization },
      pages(() => accounts),
    );
    await one.attest();
    const [assume, list] = one.api.requests;
    expect(new URLSearchParams(assume?.body).get('RoleArn')).toBe('arn:aws:iam::111111111111:role/lister');
    expect(list?.headers.authorization).toMatch(/Credential=for-lister\/\d{8}\/us-east-1\/organizations\//);
  });

  it('keeps suspended and foreign accounts out, and finds a new one at once', async () => {
    let accounts = [{ Id: INSTANCE.accountId, Status: 'SUSPENDED' }];
    await using one = await server(
      { verify_organization: organization },
      pages(() => accounts),
    );
    await expect(one.attest()).rejects.toMatchObject(stranger);
    accounts = [{ Id: INSTANCE.accountId, Status: 'ACTIVE' }];
    await one.attest();
  });

  it('reads the list a few times a term for strangers, not more', async () => {
    await using one = await server(
      { verify_organization: organization },
      pages(() => [{ Id: '2', Status: 'ACTIVE' }]),
    );
    for (let time = 0; time < 20; time++) await expect(one.attest()).rejects.toMatchObject(stranger);
    const reads = () => one.api.requests.filter(({ headers }) => headers['x-amz-target'] !== undefined).length;
    expect(reads()).toBe(6);
    place.now += 181;
    await expect(one.attest()).rejects.toMatchObject(stranger);
    expect(reads()).toBe(7);
  });

  it('lets nobody in while the list cannot be had', async () => {
    const answers = {
      'AWSOrganizationsV20161128.ListAccounts': () => ({ status: 400, body: '{"__type":"a#TooMany"}' }),
    };
    await using one = await server({ verify_organization: organization }, answers);
    await expect(one.attest()).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('(TooMany)'),
    });
  });

  it('takes the accounts of a file, read again after its term, and nobody when it is broken', async () => {
    const file = place.file(JSON.stringify([INSTANCE.accountId]));
    await using one = await server({ verify_organization: { account_list_file: file } });
    await one.attest();
    const { writeFileSync } = await import('node:fs');
    writeFileSync(file, '[]');
    await one.attest();
    place.now += 181;
    await expect(one.attest()).rejects.toMatchObject(stranger);
    writeFileSync(file, '["12"]');
    await expect(one.attest()).rejects.toMatchObject({ code: 'failed-precondition' });
    await expect(server({ verify_organization: { account_list_file: file } })).rejects.toThrow('12 digits');
  });
});

describe('validate_eks_cluster_membership', () => {
  const cluster = (instance: string): AwsAnswers => ({
    '/clusters/prod/node-groups': () => '{"nodegroups":["blue"]}',
    '/clusters/prod/node-groups/blue': () => '{"nodegroup":{"resources":{"autoScalingGroups":[{"name":"asg-1"}]}}}',
    DescribeAutoScalingGroups: () =>
      `<R><DescribeAutoScalingGroupsResult><AutoScalingGroups><member><Instances><member><InstanceId>${instance}</InstanceId>
</member></Instances></member></AutoScalingGroups></DescribeAutoScalingGroupsResult></R>`,
  });
  const config = { validate_eks_cluster_membership: { eks_cluster_names: ['prod'] } };

  it('lets in the nodes of the cluster and nobody else', async () => {
    await using member = await server(config, cluster(INSTANCE.instanceId));
    await member.attest();
    await using other = await server(config, cluster('i-00000000'));
    await expect(other.attest()).rejects.toMatchObject({ code: 'permission-denied' });
  });

  it('follows no name that would lead elsewhere', async () => {
    const answers = {
      ...cluster(INSTANCE.instanceId),
      '/clusters/prod/node-groups': () => '{"nodegroups":["../../x"]}',
    };
    await using one = await server(config, answers);
    await expect(one.attest()).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('aws_iid configuration', () => {
  it.each([
    { partition: 'aws-mars' },
    { assume_role: 'arn:aws:iam::1:role/x' },
    { access_key_id: 'only' },
    { verify_organization: {} },
    { verify_organization: { management_account_id: '111111111111', account_list_file: 'x' } },
    { verify_organization: { account_list_file: 'x', org_account_map_ttl: '59s' } },
    { validate_eks_cluster_membership: {} },
    { validate_eks_cluster_membership: { eks_cluster_names: ['../x'] } },
    { endpoint_url: 'file:///etc' },
    { local_valid_account_ids: [] },
  ])('%j is refused', (config) => {
    expect(awsIidVerifier.schema.safeParse(config).success).toBe(false);
  });

  it('names what is wrong with a certificate or a template', async () => {
    await expect(server({ signing_certificates: { 'test-local-1': '/nonexistent' } })).rejects.toThrow('ENOENT');
    await expect(server({ agent_path_template: '{{ .Nope }}' })).rejects.toThrow('unknown field ".Nope"');
  });
});
