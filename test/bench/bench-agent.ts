// An agent that only measures: it joins with a token and calls the server as agents do.
import { randomUUID } from 'node:crypto';
import { authorizeId, spiffeChannelCredentials, systemNow } from '@steeple/client/tls';
import { createClient } from '@steeple/proto/grpc';
import { agentV1, bundleV1, svidV1 } from '@steeple/proto/server-api';
import {
  BundleSet,
  concatCertificates,
  generateKey,
  localSigner,
  makeCsr,
  parseCertificate,
  parseCertificatesPem,
  pkcs8Of,
  SpiffeId,
  TrustBundle,
  TrustDomain,
  X509Svid,
} from '@steeple/spiffe';
import type { Stack } from '../stack/stack.ts';

export interface BenchAgent {
  readonly id: SpiffeId;
  readonly svids: ReturnType<typeof createClient<typeof svidV1.SVID>>;
  readonly bundles: ReturnType<typeof createClient<typeof bundleV1.Bundle>>;
}

/** Attests by join token and returns clients that present the agent's SVID. */
export async function joinAsAgent(stack: Stack): Promise<BenchAgent> {
  const { value: token } = await stack.json<{ value: string }>(['token', 'generate']);
  const trustDomain = TrustDomain.parse(stack.trustDomain);
  const roots = parseCertificatesPem(await stack.cli(['bundle', 'show', '--format', 'pem']));
  const bundles = BundleSet.of(
    TrustBundle.of(trustDomain, { x509Authorities: roots.map((certificate) => ({ certificate, tainted: false })) }),
  );
  const trust = { bundles, now: systemNow, authorize: authorizeId(SpiffeId.of(trustDomain, '/spire/server')) };
  const address = `127.0.0.1:${stack.port}`;
  const key = generateKey('ec-p256');
  const csr = new Uint8Array(await makeCsr(localSigner(key), {}));
  const stranger = createClient(agentV1.Agent, { address, credentials: spiffeChannelCredentials(trust) });
  const params = { data: { type: 'join_token', payload: new TextEncoder().encode(token) }, params: { csr } };
  const request = async function* () {
    yield { step: { case: 'params' as const, value: params } };
  };
  for await (const answer of stranger.attestAgent(request())) {
    if (answer.step.case !== 'result') throw new Error('a join token is not challenged');
    const chain = (answer.step.value.svid?.certChain ?? []).map(parseCertificate);
    const svid = X509Svid.parse(concatCertificates(chain), pkcs8Of(key));
    stranger.close();
    const credentials = spiffeChannelCredentials({ ...trust, svid: { x509Svid: () => svid } });
    return {
      id: svid.id,
      svids: createClient(svidV1.SVID, { address, credentials }),
      bundles: createClient(bundleV1.Bundle, { address, credentials }),
    };
  }
  throw new Error('the server sent no result');
}

/** An entry below the measuring agent. */
export async function entryBelow(stack: Stack, agent: BenchAgent): Promise<string> {
  const id = `spiffe://${stack.trustDomain}/bench/${randomUUID()}`;
  const args = ['entry', 'create', '--spiffe-id', id, '--parent-id', String(agent.id), '--selector', 'bench:x:1'];
  const { results } = await stack.json<{ results: { entry: { id: string } }[] }>(args);
  const entryId = results[0]?.entry.id;
  if (entryId === undefined) throw new Error('no entry was created');
  return entryId;
}
