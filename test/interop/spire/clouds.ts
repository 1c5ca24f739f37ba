// The clouds as stand-ins: what server and agent have to be told, and what comes of it.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toPem } from '@steeple/client';
import * as aws from '../../../plugins/src/node-attestor/aws-iid/aws-for-tests.ts';
import * as azure from '../../../plugins/src/node-attestor/azure-imds/azure-for-tests.ts';
import * as msi from '../../../plugins/src/node-attestor/azure-msi/msi-for-tests.ts';
import { azureSignedData } from '../../../plugins/src/node-attestor/cloud/cms-for-tests.ts';
import type { StandIn } from '../../../plugins/src/node-attestor/cloud/http-for-tests.ts';
import * as gcp from '../../../plugins/src/node-attestor/gcp-iit/gcp-for-tests.ts';
import { Skip } from '../case.ts';
import { CloudProxy } from './cloud-proxy.ts';
import type { Site } from './site.ts';
import type { Pairing } from './suite.ts';
import type { Block } from './write-hcl.ts';

/** How a node attests in one cloud. */
export interface Cloud {
  readonly attestor: string;
  readonly server: Block;
  readonly agent: Block;
  /** The agent's path, and all selectors. */
  readonly path: string;
  readonly selectors: readonly string[];
  readonly proxy: CloudProxy;
}

async function openProxy(site: Site, hosts: Parameters<typeof CloudProxy.open>[0]): Promise<CloudProxy> {
  const proxy = await CloudProxy.open(hosts, join(site.dir, 'web-ca.pem'));
  site.defer(() => proxy[Symbol.asyncDispose]());
  return proxy;
}

async function standIn(site: Site, opening: Promise<StandIn>): Promise<StandIn> {
  const one = await opening;
  site.defer(() => one[Symbol.asyncDispose]());
  return one;
}

const pem = async (path: string, raw: Uint8Array): Promise<string> => {
  await writeFile(path, toPem('CERTIFICATE', raw));
  return path;
};

export async function awsCloud(site: Site, pairing: Pairing): Promise<Cloud> {
  if (pairing.server === 'spire')
    throw new Skip("SPIRE's server believes only documents that Amazon signed, and Amazon signs none here");
  const metadata = await standIn(site, aws.listenAsMetadataService());
  const api = await standIn(site, aws.listenAsAws());
  const certificate = await pem(join(site.dir, 'region.pem'), aws.SIGNER.certificate.raw);
  const { accountId, region, instanceId } = aws.INSTANCE;
  return {
    attestor: 'aws_iid',
    server: {
      access_key_id: 'AKID',
      secret_access_key: 'secret',
      endpoint_url: api.address,
      signing_certificates: { [region]: certificate },
    },
    agent: { ec2_metadata_endpoint: metadata.address },
    path: `${accountId}/${region}/${instanceId}`,
    selectors: [
      `account_id:${accountId}`,
      `az:${region}a`,
      'iamrole:arn:aws:iam::123456789012:role/Blog',
      'image:id:ami-07cc75e9e8f9300eb',
      `instance:id:${instanceId}`,
      `region:${region}`,
      'sg:id:sg-01234567',
      'sg:name:blog & co',
      'tag:Name:blog',
      'tag:empty:',
    ],
    proxy: await openProxy(site, {}),
  };
}

export async function gcpCloud(site: Site, { server }: Pairing): Promise<Cloud> {
  const now = Math.floor(Date.now() / 1000);
  const token = () => gcp.tokenOf({ iat: now, exp: now + 3600 });
  const metadata = await standIn(site, gcp.listenAsMetadataServer(token));
  const google = await standIn(site, gcp.listenAsGoogle());
  const { project_id: project, instance_id: instance, zone, instance_name: name } = gcp.INSTANCE;
  const own = server === 'spire' ? {} : { google_certs_url: `${google.address}/oauth2/v1/certs` };
  return {
    attestor: 'gcp_iit',
    server: { projectid_allow_list: [project], ...own },
    agent: { identity_token_host: new URL(metadata.address).host },
    path: `${project}/${instance}`,
    selectors: [`project-id:${project}`, `zone:${zone}`, `instance-name:${name}`, `sa:${gcp.ACCOUNT}`],
    proxy: await openProxy(site, { 'www.googleapis.com': gcp.answerAsGoogle() }),
  };
}

export async function azureCloud(site: Site, pairing: Pairing): Promise<Cloud> {
  if (pairing.server === 'spire') {
    throw new Skip("SPIRE 1.15.3's server has the roots of Azure's certificates built in, and none of them signs here");
  }
  const { domain, subscriptionId, tenantId, vmId } = azure.MACHINE;
  const signer = azure.metadataCertificate();
  const sign = (nonce: string) => azureSignedData(azure.contentOf(nonce), [signer], [signer.certificate]);
  const metadata = await standIn(site, azure.listenAsMetadata({ sign }));
  const api = await standIn(site, azure.listenAsAzure());
  return {
    attestor: 'azure_imds',
    server: {
      tenants: { [domain]: { secret_auth: { app_id: 'app', app_secret: 'hush' }, allowed_vm_tags: ['env'] } },
      trust_bundle_path: await pem(join(site.dir, 'roots.pem'), azure.ROOT.certificate.raw),
      intermediates_path: await pem(join(site.dir, 'issuers.pem'), azure.ISSUER.certificate.raw),
      login_endpoint: api.address,
      management_endpoint: api.address,
    },
    agent: { tenant_domain: domain, ...(pairing.agent === 'spire' ? {} : { imds_endpoint: metadata.address }) },
    path: `${tenantId}/${subscriptionId}/${vmId}`,
    selectors: [
      'network-security-group:RG-Net:nsg',
      'resource-group:rg',
      `subscription-id:${subscriptionId}`,
      'virtual-network-subnet:vnet:default',
      'virtual-network:vnet',
      'vm-location:eastus',
      'vm-name:blog',
      'vm-tag:env:prod',
    ],
    proxy: await openProxy(site, { '169.254.169.254': azure.answerAsMetadata({ sign }) }),
  };
}

export async function azureIdentity(site: Site, pairing: Pairing): Promise<Cloud> {
  const { tenantId, principalId, subscriptionId } = msi.MACHINE;
  const now = Math.floor(Date.now() / 1000);
  const token = () => msi.tokenOf({ iat: now, nbf: now, exp: now + 86_400 });
  const metadata = await standIn(site, msi.listenAsIdentity(token));
  const answers = loginAnswers(tenantId);
  const api = await standIn(site, msi.listenAsResourceManager());
  return {
    attestor: 'azure_msi',
    server: {
      tenants: { [`"${tenantId}"`]: { subscription_id: subscriptionId, app_id: 'app', app_secret: 'hush' } },
      ...(pairing.server === 'spire' ? {} : { login_endpoint: api.address, management_endpoint: api.address }),
    },
    agent: pairing.agent === 'spire' ? {} : { imds_endpoint: metadata.address },
    path: `${tenantId}/${principalId}`,
    selectors: [
      'network-security-group:RG:nsg',
      `subscription-id:${subscriptionId}`,
      'virtual-network-subnet:RG:vnet:default',
      'virtual-network:RG:vnet',
      'vm-name:RG:blog',
    ],
    proxy: await openProxy(site, {
      '169.254.169.254': msi.answerAsIdentity(token),
      'login.microsoftonline.com': msi.answerAsResourceManager(answers),
      'management.azure.com': msi.answerAsResourceManager(),
    }),
  };
}

/** What SPIRE and Microsoft's library ask the login service before they have keys and tokens. */
function loginAnswers(tenantId: string): Parameters<typeof msi.answerAsResourceManager>[0] {
  const login = 'https://login.microsoftonline.com';
  const tenant = {
    issuer: `${login}/${tenantId}/v2.0`,
    token_endpoint: `${login}/${tenantId}/oauth2/v2.0/token`,
    authorization_endpoint: `${login}/${tenantId}/oauth2/v2.0/authorize`,
  };
  const common = { issuer: 'https://sts.windows.net/{tenantid}/', jwks_uri: `${login}/common/discovery/keys` };
  const alias = { preferred_network: 'login.microsoftonline.com', preferred_cache: 'login.windows.net' };
  const discovery = {
    tenant_discovery_endpoint: `${login}/${tenantId}/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [{ ...alias, aliases: ['login.microsoftonline.com', 'login.windows.net'] }],
  };
  return {
    '/common/.well-known/openid-configuration': () => JSON.stringify(common),
    [`/${tenantId}/v2.0/.well-known/openid-configuration`]: () => JSON.stringify(tenant),
    '/common/discovery/instance': () => JSON.stringify(discovery),
  };
}

export async function awsAtSpire(site: Site): Promise<Cloud> {
  const metadata = await standIn(
    site,
    aws.listenAsMetadataService(() => aws.documentOf({ region: 'us-west-2' })),
  );
  return {
    attestor: 'aws_iid',
    server: { access_key_id: 'AKID', secret_access_key: 'secret' },
    agent: { ec2_metadata_endpoint: metadata.address },
    path: '',
    selectors: [],
    proxy: await openProxy(site, {}),
  };
}

export async function azureAtSpire(site: Site, { agent }: Pairing): Promise<Cloud> {
  const { domain, tenantId } = azure.MACHINE;
  const signer = azure.metadataCertificate({ issuerAddress: 'http://www.microsoft.com/pkiops/certs/stand-in.crt' });
  const sign = (nonce: string) => azureSignedData(azure.contentOf(nonce), [signer], [signer.certificate]);
  const metadata = await standIn(site, azure.listenAsMetadata({ sign }));
  return {
    attestor: 'azure_imds',
    server: { tenants: { [domain]: { secret_auth: { app_id: 'app', app_secret: 'hush' } } } },
    agent: { tenant_domain: domain, ...(agent === 'spire' ? {} : { imds_endpoint: metadata.address }) },
    path: '',
    selectors: [],
    proxy: await openProxy(site, {
      '169.254.169.254': azure.answerAsMetadata({ sign }),
      'www.microsoft.com': () => ({ status: 200, body: azure.ISSUER.certificate.raw }),
      'login.microsoftonline.com': () => JSON.stringify({ issuer: `https://sts.windows.net/${tenantId}/` }),
    }),
  };
}
