import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toPem } from '@steeple/client';
import { tempDir } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import * as aws from '../../plugins/src/node-attestor/aws-iid/aws-for-tests.ts';
import * as azure from '../../plugins/src/node-attestor/azure-imds/azure-for-tests.ts';
import { azureSignedData } from '../../plugins/src/node-attestor/cloud/cms-for-tests.ts';
import * as gcp from '../../plugins/src/node-attestor/gcp-iit/gcp-for-tests.ts';
import { Home, Reader } from './home.ts';

interface Cloud {
  readonly attestor: string;
  readonly server: Record<string, unknown>;
  readonly agent: Record<string, unknown>;
  readonly path: string;
  /** One of those that the provider's API told. */
  readonly selector: string;
}

/** A node of a cloud gets in once, its workload is served, and it is in again after it was evicted. */
async function attestsOnce({ attestor, server, agent, path, selector }: Cloud): Promise<void> {
  await using home = await Home.open({
    joinToken: false,
    serverBlocks: { plugins: { NodeAttestor: { [attestor]: { plugin_data: server } } } },
    blocks: { plugins: { NodeAttestor: { [attestor]: { plugin_data: agent } } } },
    agent: { experimental: { sync_interval: '100ms' } },
  });
  home.agentId = { trustDomain: home.trustDomain.name, path: `/spire/agent/${attestor}/${path}` };
  const { selectors, canReattest } = await home.admin.agent.getAgent({ id: home.agentId });
  expect(selectors).toContainEqual(expect.objectContaining({ type: attestor, value: selector }));
  expect(canReattest).toBe(false);
  await home.addEntry({ path: '/web' });
  using reader = new Reader((options) => home.workload.fetchX509SVID({}, options));
  await reader.find(({ svids }) => svids.some(({ spiffeId }) => spiffeId === home.id('/web')));

  // An agent that kept its SVID goes on with it; one that did not is a stranger with the same proof.
  await home.agent.stop();
  await home.startAgent();
  await home.ready();
  await home.agent.stop();
  await home.forgetAgent();
  await expect(home.startAgent()).rejects.toThrow('attestation data has already been used to attest an agent');
  await home.admin.agent.banAgent({ id: home.agentId });
  await expect(home.startAgent()).rejects.toMatchObject({ reason: 'attestation-refused' });
  await home.admin.agent.deleteAgent({ id: home.agentId });
  await home.startAgent();
  await home.ready();
}

it('an EC2 instance', async () => {
  await using directory = await tempDir();
  await using metadata = await aws.listenAsMetadataService();
  await using api = await aws.listenAsAws();
  const certificate = join(directory.path, 'region.pem');
  await writeFile(certificate, toPem('CERTIFICATE', aws.SIGNER.certificate.raw));
  const { accountId, region, instanceId } = aws.INSTANCE;
  await attestsOnce({
    attestor: 'aws_iid',
    server: {
      access_key_id: 'AKID',
      secret_access_key: 'secret',
      endpoint_url: api.address,
      signing_certificates: { [region]: certificate },
    },
    agent: { ec2_metadata_endpoint: metadata.address },
    path: `${accountId}/${region}/${instanceId}`,
    selector: 'tag:Name:blog',
  });
});

it('a Compute Engine instance', async () => {
  await using directory = await tempDir();
  const now = Math.floor(Date.now() / 1000);
  await using metadata = await gcp.listenAsMetadataServer(() => gcp.tokenOf({ iat: now, exp: now + 3600 }));
  await using google = await gcp.listenAsGoogle();
  const account = join(directory.path, 'account.json');
  const credentials = { type: 'authorized_user', client_id: 'a', client_secret: 'b', refresh_token: 'c' };
  await writeFile(account, JSON.stringify({ ...credentials, token_uri: `${google.address}/token` }));
  const { project_id: project, instance_id: instance } = gcp.INSTANCE;
  await attestsOnce({
    attestor: 'gcp_iit',
    server: {
      projectid_allow_list: [project],
      use_instance_metadata: true,
      allowed_label_keys: ['env'],
      service_account_file: account,
      google_certs_url: `${google.address}/oauth2/v1/certs`,
      compute_endpoint: google.address,
    },
    agent: { identity_token_host: new URL(metadata.address).host },
    path: `${project}/${instance}`,
    selector: 'label:env:prod',
  });
});

it("an Azure machine, whose signer's issuer is fetched", async () => {
  await using directory = await tempDir();
  await using issuers = await aws.listenAsAws({
    '/issuing.crt': () => ({ status: 200, body: azure.ISSUER.certificate.raw }),
  });
  const signer = azure.metadataCertificate({ issuerAddress: `${issuers.address}/issuing.crt` });
  const sign = (nonce: string) => azureSignedData(azure.contentOf(nonce), [signer], [signer.certificate]);
  await using metadata = await azure.listenAsMetadata({ sign });
  await using api = await azure.listenAsAzure();
  const roots = join(directory.path, 'roots.pem');
  await writeFile(roots, toPem('CERTIFICATE', azure.ROOT.certificate.raw));
  const { domain, tenantId, subscriptionId, vmId } = azure.MACHINE;
  await attestsOnce({
    attestor: 'azure_imds',
    server: {
      tenants: { [domain]: { secret_auth: { app_id: 'app', app_secret: 'hush' }, allowed_vm_tags: ['env'] } },
      trust_bundle_path: roots,
      ca_issuers_hosts: [new URL(issuers.address).host],
      login_endpoint: api.address,
      management_endpoint: api.address,
    },
    agent: { tenant_domain: domain, imds_endpoint: metadata.address },
    path: `${tenantId}/${subscriptionId}/${vmId}`,
    selector: 'vm-tag:env:prod',
  });
});
