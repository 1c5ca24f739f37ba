import { readFile } from 'node:fs/promises';
import { IssuerError } from '@steeple/core';
import { askOutside, type CallOutside } from '../cloud/call-outside.ts';
import { readJson, textOf } from '../cloud/read-json.ts';
import { askMetadata } from './metadata-service.ts';
import type { AwsCredentials } from './sign-request.ts';

/** Where the server's own AWS credentials come from; all but the first two as AWS's tools find them. */
export interface CredentialSettings {
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Takes the token of a web identity for credentials of a role. */
  readonly assumeWithToken: (role: string, token: string, signal: AbortSignal) => Promise<AwsCredentials>;
}

/** Container credentials come from the machine itself; their address is in the environment, and only these hosts count. */
const CONTAINER_HOSTS: ReadonlySet<string> = new Set([
  '169.254.170.2',
  '169.254.170.23',
  '[fd00:ec2::23]',
  '127.0.0.1',
  '[::1]',
  'localhost',
]);

/**
 * The configured keys, or the environment's, or a web identity's (pods with a service account), or the container's, or the
 * instance profile's.
 *
 * @throws {IssuerError} `unavailable`, `failed-precondition`
 */
export async function findCredentials(
  settings: CredentialSettings,
  ask: CallOutside,
  signal: AbortSignal,
): Promise<AwsCredentials> {
  const { accessKeyId, secretAccessKey, environment } = settings;
  if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey };
  const fromEnvironment = {
    accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    sessionToken: environment['AWS_SESSION_TOKEN'],
  };
  if (fromEnvironment.accessKeyId !== '' && fromEnvironment.secretAccessKey !== '') return fromEnvironment;
  const tokenFile = environment['AWS_WEB_IDENTITY_TOKEN_FILE'];
  const role = environment['AWS_ROLE_ARN'];
  if (tokenFile && role) return settings.assumeWithToken(role, await readToken(tokenFile), signal);
  const container = containerAddress(environment);
  if (container) return await containerCredentials(container, environment, ask, signal);
  return await instanceCredentials(environment, ask, signal);
}

function containerAddress(environment: CredentialSettings['environment']): URL | undefined {
  const relative = environment['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'];
  const full = environment['AWS_CONTAINER_CREDENTIALS_FULL_URI'];
  const address = relative ? `http://169.254.170.2${relative}` : full;
  if (!address) return undefined;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && CONTAINER_HOSTS.has(url.hostname))) return url;
  throw new IssuerError('failed-precondition', 'the address of the container credentials is none of this machine');
}

async function containerCredentials(
  url: URL,
  environment: CredentialSettings['environment'],
  ask: CallOutside,
  signal: AbortSignal,
): Promise<AwsCredentials> {
  const file = environment['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'];
  const authorization = file ? await readToken(file) : environment['AWS_CONTAINER_AUTHORIZATION_TOKEN'];
  const headers = authorization ? { authorization } : {};
  const body = await askOutside(ask, { what: 'the container credentials', url, headers, maxBytes: 65_536, signal });
  return readCredentials(body);
}

async function instanceCredentials(
  environment: CredentialSettings['environment'],
  ask: CallOutside,
  signal: AbortSignal,
): Promise<AwsCredentials> {
  const path = 'meta-data/iam/security-credentials/';
  const metadata = { endpoint: environment['AWS_EC2_METADATA_SERVICE_ENDPOINT'], ask, signal };
  const role = (await askMetadata({ ...metadata, path, what: "the instance profile's role" })).trim();
  if (!/^[\w+=,.@-]{1,128}$/.test(role))
    throw new IssuerError('unavailable', 'the instance profile has no usable role');
  return readCredentials(
    await askMetadata({ ...metadata, path: path + role, what: "the instance profile's credentials" }),
  );
}

function readCredentials(answer: Uint8Array | string): AwsCredentials {
  const object = readJson(answer, 'the answer with credentials');
  const accessKeyId = textOf(object, 'AccessKeyId');
  const secretAccessKey = textOf(object, 'SecretAccessKey');
  if (!accessKeyId || !secretAccessKey) throw new IssuerError('unavailable', 'the answer has no credentials in it');
  const expiresAt = instantOf(textOf(object, 'Expiration'));
  return { accessKeyId, secretAccessKey, sessionToken: textOf(object, 'Token'), expiresAt };
}

/** Unix seconds of a date in ISO 8601. */
export function instantOf(text: string | undefined): number | undefined {
  const instant = text === undefined ? Number.NaN : Date.parse(text) / 1000;
  return Number.isFinite(instant) ? instant : undefined;
}

async function readToken(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new IssuerError('failed-precondition', `the token file ${file} cannot be read`, { cause });
  }
}
