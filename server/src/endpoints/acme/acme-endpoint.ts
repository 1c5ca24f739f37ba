import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { CertificateAndKey, Clock, Logger } from '@steeple/daemon';
import { backoff } from '@steeple/proto/grpc';
import { generateKey } from '@steeple/spiffe';
import { ENDPOINT_TLS } from '../endpoint-tls.ts';
import type { EndpointIdentity, UnboundEndpoint } from '../unbound-endpoint.ts';
import { AcmeFront } from './acme-front.ts';
import { AcmeStore, isGoodFor, type Validity } from './acme-store.ts';
import { challengeCertificate } from './challenge-certificate.ts';
import { obtainCertificate } from './obtain-certificate.ts';

export interface AcmeEndpointParts {
  readonly dataDir: string;
  readonly webRoots: () => readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Seconds between two looks at the certificate, and pauses after failures: authorities count those. */
const LOOK = 3600;
const RETRY = { initial: 300, multiplier: 2, max: 6 * 3600, jitter: 0.1 };
/** A certificate is renewed when so much of its life is over. */
const RENEWAL = 2 / 3;

type Identity = Extract<EndpointIdentity, { kind: 'acme' }>;

/** An HTTPS server whose certificate is got and renewed by ACME; until the first is there it can shake nobody's hand. */
export const acmeEndpoint = async (
  identity: Identity,
  handler: RequestListener,
  { dataDir, webRoots, clock, logger }: AcmeEndpointParts,
): Promise<UnboundEndpoint> => {
  const { directoryUrl, domainName } = identity;
  const store = await AcmeStore.open(dataDir);
  let current = await store.certificate(domainName);
  const server = createServer({ ...ENDPOINT_TLS, ...(current && pairOf(current)) }, handler);
  const front = new AcmeFront(server);

  const renew = async (signal: AbortSignal): Promise<void> => {
    const privateKey = generateKey('ec-p256');
    const answer = async (authorization: string): Promise<Disposable> =>
      front.answer(challengeCertificate(domainName, authorization, clock.now()));
    const want = { ...identity, account: await store.account(), key: privateKey, roots: webRoots(), clock, answer };
    const cert = await obtainCertificate(want, signal);
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    if (!isGoodFor({ cert, key }, domainName)) throw new Error('the ACME server sent a certificate for something else');
    current = await store.save({ cert, key });
    server.setSecureContext({ ...ENDPOINT_TLS, ...pairOf(current) });
    logger.info('Certificate obtained by ACME', { domain_name: domainName, expires_at: current.notAfter });
  };

  const keepFresh = async (signal: AbortSignal): Promise<void> => {
    for (let failures = 0; ; ) {
      if (current && clock.now() < renewalOf(current)) {
        await clock.sleep(Math.min(LOOK, renewalOf(current) - clock.now()), signal);
        continue;
      }
      try {
        await renew(signal);
        // A certificate that is old at birth is the sign of a clock that is wrong; asking on would not mend it.
        if (current && clock.now() >= renewalOf(current))
          throw new Error('the new certificate is due for renewal already');
        failures = 0;
      } catch (error) {
        if (signal.aborted) throw error;
        failures += 1;
        logger.error('No certificate could be obtained by ACME', { directory_url: directoryUrl, failures, error });
        await clock.sleep(backoff(failures, 0.5, RETRY), signal);
      }
    }
  };
  return { server, listener: front.listener, keepFresh };
};

const renewalOf = ({ notBefore, notAfter }: Validity): number => notBefore + (notAfter - notBefore) * RENEWAL;

const pairOf = ({ cert, key }: CertificateAndKey): CertificateAndKey => ({ cert, key });
