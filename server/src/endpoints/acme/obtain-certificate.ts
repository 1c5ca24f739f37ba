import type { KeyObject } from 'node:crypto';
import type { Clock } from '@steeple/daemon';
import { localSigner, makeCsr } from '@steeple/spiffe';
import { z } from 'zod';
import type { AcmeKey } from './acme-key.ts';
import { AcmeTransport } from './acme-transport.ts';

export interface AcmeRequest {
  readonly directoryUrl: string;
  readonly domainName: string;
  readonly email: string;
  readonly tosAccepted: boolean;
  readonly account: AcmeKey;
  /** Of the certificate. */
  readonly key: KeyObject;
  readonly roots: readonly string[];
  readonly clock: Clock;
  /** Makes the answer to a challenge visible to the server; undone when the order is over. */
  readonly answer: (keyAuthorization: string) => Promise<Disposable>;
}

const directory = z.object({
  newNonce: z.url(),
  newAccount: z.url(),
  newOrder: z.url(),
  meta: z.object({ termsOfService: z.string().optional() }).default({}),
});
const order = z.object({
  status: z.string(),
  authorizations: z.array(z.url()),
  finalize: z.url(),
  certificate: z.url().optional(),
  error: z.object({ detail: z.string().optional() }).optional(),
});
const authorization = z.object({
  status: z.string(),
  challenges: z.array(
    z.object({
      type: z.string(),
      url: z.url(),
      token: z
        .string()
        .regex(/^[\w-]+$/)
        .optional(),
      error: z.object({ detail: z.string().optional() }).optional(),
    }),
  ),
});

/** Seconds between two looks at something that the server works on, and how many looks at most. */
const PAUSE = 1;
const LOOKS = 120;

/**
 * Gets a certificate for one domain name by ACME (RFC 8555), proving control of the name by the challenge tls-alpn-01
 * (RFC 8737).
 *
 * @returns the chain, PEM
 * @throws {Error} whose message says what the server refused
 */
export const obtainCertificate = async (want: AcmeRequest, signal: AbortSignal): Promise<string> => {
  const transport = new AcmeTransport(want.account, want.roots);
  const { newNonce, newAccount, newOrder, meta } = read(
    directory,
    (await transport.get(want.directoryUrl, signal)).body,
  );
  if (meta.termsOfService !== undefined && !want.tosAccepted) {
    throw new Error(`the terms of service at ${meta.termsOfService} are not accepted: see tos_accepted`);
  }
  transport.useNonces(newNonce);
  const contact = [`mailto:${want.email}`];
  const account = await transport.post(newAccount, { termsOfServiceAgreed: want.tosAccepted, contact }, signal);
  transport.account = locationOf(account.headers);
  const identifiers = [{ type: 'dns', value: want.domainName }];
  const made = await transport.post(newOrder, { identifiers }, signal);
  const url = locationOf(made.headers);
  for (const one of read(order, made.body).authorizations) await prove(transport, one, want, signal);
  const isReady = (status: string): boolean => status !== 'pending';
  const ready = await settled(transport, url, order, isReady, want.clock, signal);
  if (ready.status === 'ready') {
    const csr = await makeCsr(localSigner(want.key), { dnsNames: [want.domainName] });
    await transport.post(ready.finalize, { csr: Buffer.from(csr).toString('base64url') }, signal);
  }
  const isOver = (status: string): boolean => status === 'valid' || status === 'invalid';
  const done = await settled(transport, url, order, isOver, want.clock, signal);
  if (done.status !== 'valid' || done.certificate === undefined) {
    throw new Error(`the order came to nothing: ${done.error?.detail ?? done.status}`);
  }
  return (await transport.post(done.certificate, undefined, signal)).body;
};

const prove = async (
  transport: AcmeTransport,
  url: string,
  { account, answer, clock }: AcmeRequest,
  signal: AbortSignal,
): Promise<void> => {
  const { status, challenges } = read(authorization, (await transport.post(url, undefined, signal)).body);
  if (status === 'valid') return;
  const challenge = challenges.find(({ type }) => type === 'tls-alpn-01');
  if (challenge?.token === undefined) throw new Error('the server does not offer the challenge tls-alpn-01');
  using shown = await answer(account.authorization(challenge.token));
  await transport.post(challenge.url, {}, signal);
  const isOver = (now: string): boolean => now !== 'pending';
  const end = await settled(transport, url, authorization, isOver, clock, signal);
  shown[Symbol.dispose]();
  if (end.status === 'valid') return;
  const reasons = end.challenges.flatMap(({ error }) => error?.detail ?? []);
  throw new Error(`the server could not verify the domain name: ${reasons.join('; ') || end.status}`);
};

/** Looks at an order or authorization until it is as awaited. */
const settled = async <T extends { readonly status: string }>(
  transport: AcmeTransport,
  url: string,
  schema: z.ZodType<T>,
  isSettled: (status: string) => boolean,
  clock: Clock,
  signal: AbortSignal,
): Promise<T> => {
  for (let looks = 0; looks < LOOKS; looks += 1) {
    const now = read(schema, (await transport.post(url, undefined, signal)).body);
    if (isSettled(now.status)) return now;
    await clock.sleep(PAUSE, signal);
  }
  throw new Error('the ACME server does not come to an end');
};

const read = <T>(schema: z.ZodType<T>, body: string): T => {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new Error('the answer of the ACME server is no JSON');
  }
  const { success, data } = schema.safeParse(json);
  if (!success) throw new Error('the answer of the ACME server has not the form of RFC 8555');
  return data;
};

const locationOf = ({ location }: { readonly location?: string | string[] | undefined }): string => {
  if (typeof location === 'string') return location;
  throw new Error('the ACME server does not say where what it made is');
};
