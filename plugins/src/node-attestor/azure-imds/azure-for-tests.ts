import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { encodeElement as der } from '../cloud/ber.ts';
import { azureSignedData, type CmsSigner } from '../cloud/cms-for-tests.ts';
import { StandIn, type StandInAnswer, type StandInRequest } from '../cloud/http-for-tests.ts';
import { type CertificateParts, type Issued, issue, issueCa } from '../x509pop/certificates-for-tests.ts';

export const MACHINE = {
  vmId: '13f56399-bd52-4150-9748-7190aae1ff21',
  subscriptionId: 'd5b40d61-272e-48da-beb9-05f295c42bd6',
  tenantId: '8a5d6a2c-7b0f-4f3e-9a55-0d6c2f6f1f10',
  domain: 'contoso.onmicrosoft.com',
  scaleSet: 'web-set',
};

const rsaKey = (): KeyObject => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const text = (value: string): Uint8Array => Buffer.from(value);
const extension = (oid: string, value: Uint8Array): Uint8Array =>
  der(0x30, Buffer.concat([der(0x06, Buffer.from(oid, 'hex')), der(0x04, value)]));

/** The chain as it is at Azure: root, issuing CA, and the metadata service's certificate of a region. */
export const ROOT = issueCa('stand-in root', { key: rsaKey() });
export const ISSUER = issueCa('stand-in issuing CA', { issuer: ROOT, key: rsaKey(), serial: [2] });

/** A certificate of the metadata service. */
export function metadataCertificate(
  parts: { name?: string; issuerAddress?: string; purpose?: string; issuer?: Issued | null } & Omit<
    CertificateParts,
    'issuer'
  > = {},
): CmsSigner {
  const {
    name = 'eastus.metadata.azure.com',
    issuerAddress,
    purpose = '2b06010505070301',
    issuer = ISSUER,
    ...rest
  } = parts;
  const access = (address: string) =>
    extension(
      '2b06010505070101',
      der(
        0x30,
        der(0x30, Buffer.concat([der(0x06, Buffer.from('2b06010505073002', 'hex')), der(0x86, text(address))])),
      ),
    );
  const { certificate, key } = issue({
    commonName: name,
    key: rsaKey(),
    serial: [0, 200],
    keyUsage: [5, 0xa0],
    ...(issuer === null ? {} : { issuer }),
    more: [
      extension('551d11', der(0x30, der(0x82, text(name)))),
      extension('551d25', der(0x30, der(0x06, Buffer.from(purpose, 'hex')))),
      ...(issuerAddress === undefined ? [] : [access(issuerAddress)]),
    ],
    ...rest,
  });
  return { certificate: new X509Certificate(certificate.raw), key };
}

export const x509 = ({ certificate }: Issued): X509Certificate => new X509Certificate(certificate.raw);

/** The content of an attested document, as Azure writes it. */
export function contentOf(nonce: string, parts: object = {}): Uint8Array {
  return text(
    JSON.stringify({
      licenseType: '',
      nonce,
      plan: { name: '', product: '', publisher: '' },
      sku: '22_04-lts-gen2',
      subscriptionId: MACHINE.subscriptionId,
      timeStamp: { createdOn: '01/01/30 00:00:00 -0000', expiresOn: '01/01/30 06:00:00 -0000' },
      vmId: MACHINE.vmId,
      ...parts,
    }),
  );
}

/** What the metadata service of a machine answers. */
export function answerAsMetadata(
  options: { signer?: CmsSigner; scaleSet?: string; sign?: (nonce: string) => Uint8Array } = {},
): (request: StandInRequest) => StandInAnswer {
  const { signer = metadataCertificate(), scaleSet = '' } = options;
  const sign =
    options.sign ?? ((nonce) => azureSignedData(contentOf(nonce), [signer], [signer.certificate, x509(ISSUER)]));
  return ({ url, headers }) => {
    if (headers['metadata'] !== 'true' || !url.searchParams.has('api-version')) return { status: 400 };
    if (url.pathname === '/metadata/attested/document') {
      const signature = Buffer.from(sign(url.searchParams.get('nonce') ?? '')).toString('base64');
      return JSON.stringify({ encoding: 'pkcs7', signature });
    }
    if (url.pathname === '/metadata/identity/oauth2/token') {
      return '{"access_token":"of-the-machine","expires_in":"3599","token_type":"Bearer"}';
    }
    if (url.pathname !== '/metadata/instance') return undefined;
    const compute = {
      name: 'blog',
      subscriptionId: MACHINE.subscriptionId,
      resourceGroupName: 'rg',
      vmScaleSetName: scaleSet,
    };
    return JSON.stringify({ compute });
  };
}

export function listenAsMetadata(options?: Parameters<typeof answerAsMetadata>[0]): Promise<StandIn> {
  return StandIn.listen(answerAsMetadata(options));
}

const group = `/subscriptions/${MACHINE.subscriptionId}/resourceGroups/RG-Net/providers/Microsoft.Network`;
const subnet = `${group}/virtualNetworks/vnet/subnets/default`;
const machineId = `/subscriptions/${MACHINE.subscriptionId}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/blog`;

/** Azure's login service, Resource Graph and Resource Manager, by path; the graph by what is asked of it. */
export function listenAsAzure(answers: AzureAnswers = {}): Promise<StandIn> {
  const rows = (data: readonly object[]) => JSON.stringify({ totalRecords: data.length, count: data.length, data });
  const known: AzureAnswers = {
    [`/${MACHINE.domain}/.well-known/openid-configuration`]: () =>
      JSON.stringify({ issuer: `https://sts.windows.net/${MACHINE.tenantId}/` }),
    [`/${MACHINE.tenantId}/oauth2/v2.0/token`]: () =>
      '{"access_token":"of-the-app","expires_in":3599,"token_type":"Bearer"}',
    'microsoft.compute/virtualmachines': () =>
      rows([
        {
          id: machineId,
          name: 'blog',
          location: 'eastus',
          resourceGroup: 'rg',
          vmId: MACHINE.vmId,
          tags: { env: 'prod', secret: 'x' },
        },
      ]),
    'microsoft.compute/virtualmachinescalesets': () => rows([{ id: 'x', name: MACHINE.scaleSet, resourceGroup: 'rg' }]),
    'microsoft.network/networkinterfaces': () =>
      rows([
        {
          name: 'nic',
          networkSecurityGroup: { id: `${group}/networkSecurityGroups/nsg` },
          ipConfigurations: [{ properties: { subnet: { id: subnet } } }],
        },
      ]),
    [`/subscriptions/${MACHINE.subscriptionId}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/${MACHINE.scaleSet}/virtualMachines`]:
      () =>
        JSON.stringify({
          value: [scaleSetMachine('00000000-0000-0000-0000-000000000000'), scaleSetMachine(MACHINE.vmId)],
        }),
    ...answers,
  };
  return StandIn.listen((request) => {
    const { url, headers, body } = request;
    const isManagement = url.pathname.startsWith('/providers/') || url.pathname.startsWith('/subscriptions/');
    if (isManagement && !headers.authorization?.startsWith('Bearer of-the-')) return { status: 401 };
    if (!url.pathname.endsWith('/resources')) return known[url.pathname]?.(request);
    const { query } = JSON.parse(body) as { query: string };
    const kind = /microsoft\.\w+\/\w+/i.exec(query)?.[0].toLowerCase() ?? '';
    return known[kind]?.(request);
  });
}

type AzureAnswers = Readonly<Record<string, (request: StandInRequest) => StandInAnswer>>;

export function scaleSetMachine(vmId: string): object {
  const ipConfigurations = [{ name: 'ip', properties: { subnet: { id: subnet } } }];
  const networkSecurityGroup = { id: `${group}/networkSecurityGroups/nsg` };
  const networkInterfaceConfigurations = [{ name: 'nic', properties: { networkSecurityGroup, ipConfigurations } }];
  const properties = { vmId, networkProfileConfiguration: { networkInterfaceConfigurations } };
  return { id: 'x', name: 'web-set_1', location: 'eastus', tags: { env: 'prod' }, properties };
}
