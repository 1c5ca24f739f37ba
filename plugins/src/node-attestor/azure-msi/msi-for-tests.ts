import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { StandIn, type StandInAnswer, type StandInRequest } from '../cloud/http-for-tests.ts';
import { NOW } from '../x509pop/certificates-for-tests.ts';

export const MACHINE = {
  tenantId: '8a5d6a2c-7b0f-4f3e-9a55-0d6c2f6f1f10',
  principalId: '4b7a1f36-4ac2-4d6b-9c2e-2d8e8e9bd001',
  subscriptionId: 'd5b40d61-272e-48da-beb9-05f295c42bd6',
};
const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const KID = 'nOo3ZDrODXEK1jKWhXslHR_KXEg';

/** A token as Azure makes it for a managed identity. */
export function tokenOf(claims: object = {}, options: { key?: KeyObject; header?: object } = {}): string {
  const content = {
    aud: 'https://management.azure.com/',
    iss: `https://sts.windows.net/${MACHINE.tenantId}/`,
    iat: NOW,
    nbf: NOW,
    exp: NOW + 86_400,
    appid: '6f3c1a2b-0000-4000-8000-000000000001',
    idtyp: 'app',
    oid: MACHINE.principalId,
    sub: MACHINE.principalId,
    tid: MACHINE.tenantId,
    ver: '1.0',
    ...claims,
  };
  const header = { typ: 'JWT', alg: 'RS256', x5t: KID, kid: KID, ...options.header };
  const text = [header, content].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${sign('sha256', Buffer.from(text), options.key ?? key).toString('base64url')}`;
}

type Answer = (request: StandInRequest) => StandInAnswer;

/** What a machine's metadata service answers. */
export function answerAsIdentity(token: () => string = tokenOf): Answer {
  return ({ url, headers }) => {
    if (headers['metadata'] !== 'true') return { status: 400 };
    if (url.pathname === '/metadata/instance')
      return JSON.stringify({ compute: { subscriptionId: MACHINE.subscriptionId } });
    if (url.pathname !== '/metadata/identity/oauth2/token') return undefined;
    return JSON.stringify({ access_token: token(), expires_in: '86399', resource: url.searchParams.get('resource') });
  };
}

export function listenAsIdentity(token?: () => string): Promise<StandIn> {
  return StandIn.listen(answerAsIdentity(token));
}

const subscription = `/subscriptions/${MACHINE.subscriptionId}`;
export const MACHINE_ID = `${subscription}/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/blog`;
const network = `${subscription}/resourceGroups/RG/providers/Microsoft.Network`;

/** Azure's keys, tokens and Resource Manager, by path. */
export function answerAsResourceManager(answers: Readonly<Record<string, Answer>> = {}): Answer {
  const { n, e } = key.export({ format: 'jwk' });
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  const jwks = {
    keys: [
      { kty: 'RSA', use: 'sig', kid: KID, x5t: KID, n, e },
      { ...other, kid: 'other' },
    ],
  };
  const ipConfigurations = [{ properties: { subnet: { id: `${network}/virtualNetworks/vnet/subnets/default` } } }];
  const networkSecurityGroup = { id: `${network}/networkSecurityGroups/nsg` };
  const known: Readonly<Record<string, Answer>> = {
    '/common/discovery/keys': () => JSON.stringify(jwks),
    [`/${MACHINE.tenantId}/oauth2/v2.0/token`]: () => '{"access_token":"of-the-app","expires_in":3599}',
    [`${subscription}/resources`]: ({ url }) =>
      JSON.stringify({
        value: url.searchParams.get('$filter')?.includes(MACHINE.principalId) ? [{ id: MACHINE_ID }] : [],
      }),
    [MACHINE_ID]: () =>
      JSON.stringify({
        properties: { networkProfile: { networkInterfaces: [{ id: `${network}/networkInterfaces/nic` }] } },
      }),
    [`${network}/networkInterfaces/nic`]: () =>
      JSON.stringify({ properties: { networkSecurityGroup, ipConfigurations } }),
    ...answers,
  };
  return (request) => known[request.url.pathname]?.(request);
}

export function listenAsResourceManager(answers?: Readonly<Record<string, Answer>>): Promise<StandIn> {
  return StandIn.listen(answerAsResourceManager(answers));
}
