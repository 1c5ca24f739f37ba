import { generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { StandIn, type StandInAnswer, type StandInRequest } from '../cloud/http-for-tests.ts';
import { issue, NOW } from '../x509pop/certificates-for-tests.ts';

export const INSTANCE = {
  project_id: 'big-kahuna-123456',
  project_number: 739419398126,
  zone: 'us-west1-b',
  instance_id: '152986662232938449',
  instance_name: 'blog-server',
  instance_creation_timestamp: 1552953600,
};
export const ACCOUNT = '123456789-compute@developer.gserviceaccount.com';

const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
/** Signs the tokens, in place of Google. */
export const SIGNER = { kid: '0905d6f9cd9b0f1f852e8b207e8f673abca4bf75', key };
const certificate = new X509Certificate(issue({ key, commonName: 'stand-in for Google' }).certificate.raw);

/** A token as the metadata server makes it for format "full". */
export function tokenOf(claims: object = {}, options: { key?: KeyObject; header?: object } = {}): string {
  const now = NOW;
  const content = {
    aud: 'spire-gcp-node-attestor',
    azp: '112233445566778899000',
    email: ACCOUNT,
    email_verified: true,
    exp: now + 3600,
    google: { compute_engine: { ...INSTANCE, license_id: [] } },
    iat: now,
    iss: 'https://accounts.google.com',
    sub: '112233445566778899000',
    ...claims,
  };
  const header = { alg: 'RS256', kid: SIGNER.kid, typ: 'JWT', ...options.header };
  const text = [header, content].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${sign('sha256', Buffer.from(text), options.key ?? SIGNER.key).toString('base64url')}`;
}

export const engine = (parts: object) => ({ google: { compute_engine: { ...INSTANCE, ...parts } } });

/** Google's certificates, as at oauth2/v1/certs. */
export const certificates = (): StandInAnswer => ({
  status: 200,
  body: JSON.stringify({ [SIGNER.kid]: certificate.toString() }),
  headers: { expires: new Date((NOW + 7200) * 1000).toUTCString(), 'content-type': 'application/json' },
});

type Answer = (request: StandInRequest) => StandInAnswer;

/** The metadata server of an instance. */
export function listenAsMetadataServer(token: (query: URLSearchParams) => string = () => tokenOf()): Promise<StandIn> {
  return StandIn.listen(({ url, headers }) => {
    if (headers['metadata-flavor'] !== 'Google') return { status: 403 };
    const account = '/computeMetadata/v1/instance/service-accounts/default';
    if (url.pathname === `${account}/identity`) return token(url.searchParams);
    if (url.pathname === `${account}/token`)
      return '{"access_token":"of-the-machine","expires_in":3599,"token_type":"Bearer"}';
    return { status: 404 };
  });
}

/** Google's certificates and Compute Engine's API, and where access tokens are had. */
export function answerAsGoogle(instance: object = {}, answers: Readonly<Record<string, Answer>> = {}): Answer {
  const { project_id: project, zone, instance_name: name, instance_id: id } = INSTANCE;
  const known = {
    kind: 'compute#instance',
    id,
    name,
    tags: { items: ['blog-server', 'http'], fingerprint: 'x' },
    labels: { env: 'prod', team: 'blog' },
    metadata: { items: [{ key: 'role', value: 'frontend' }, { key: 'ssh-keys', value: 'secret' }, { key: 'empty' }] },
    ...instance,
  };
  const all: Readonly<Record<string, Answer>> = {
    '/oauth2/v1/certs': certificates,
    [`/compute/v1/projects/${project}/zones/${zone}/instances/${name}`]: ({ headers }) =>
      headers.authorization?.startsWith('Bearer of-the-') ? JSON.stringify(known) : { status: 401 },
    '/token': () => '{"access_token":"of-the-account","expires_in":3599}',
    ...answers,
  };
  return (request) => all[request.url.pathname]?.(request);
}

export function listenAsGoogle(instance?: object, answers?: Readonly<Record<string, Answer>>): Promise<StandIn> {
  return StandIn.listen(answerAsGoogle(instance, answers));
}
