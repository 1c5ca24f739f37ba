// A server's API over TCP, as a holder of an SVID or as a stranger sees it, and a small agent of the test's own.
import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { BundleSet, localSigner, makeCsr, parseCertificate, X509Svid } from '@steeple/client';
import { authorizeId, spiffeChannelCredentials, systemNow } from '@steeple/client/tls';
import { serverId } from '@steeple/core';
import { Outbox } from '../../../agent/src/app/outbox.ts';
import { readBundle } from '../../../agent/src/app/server-wire.ts';
import type { NodeCertificate } from './node-certificates.ts';
import { type ServerApi, serverApi } from './server-api.ts';
import type { ServerUnit } from './server-unit.ts';
import type { Site } from './site.ts';

/** Connects; without an SVID as a stranger, who still wants proof from the server. */
export async function remoteApi(site: Site, server: ServerUnit, svid?: X509Svid): Promise<ServerApi> {
  const bundles = BundleSet.of(readBundle(await server.api.bundle.getBundle({}, { deadline: 10 })));
  const api = serverApi({
    address: `127.0.0.1:${server.port}`,
    credentials: spiffeChannelCredentials({
      bundles,
      authorize: authorizeId(serverId(server.trustDomain)),
      now: systemNow,
      svid: svid && { x509Svid: () => svid },
    }),
    options: { 'grpc.use_local_subchannel_pool': 1 },
  });
  site.defer(() => api.close());
  return api;
}

export const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
export const csrOf = (key: KeyObject): Promise<Uint8Array<ArrayBuffer>> =>
  makeCsr(localSigner(key)) as Promise<Uint8Array<ArrayBuffer>>;

type Bytes = Uint8Array<ArrayBuffer>;
export interface Proof {
  readonly type: string;
  readonly payload: Bytes;
  readonly answer?: (challenge: Uint8Array) => Bytes | Promise<Bytes>;
}

export const tokenProof = (token: string): Proof => ({ type: 'join_token', payload: Buffer.from(token) });

/** The proof of x509pop in its JSON form; `key` other than the certificate's is a liar's. */
export function certificateProof(node: NodeCertificate, key: KeyObject = node.forged.privateKey): Proof {
  const certificates = [Buffer.from(node.forged.der).toString('base64')];
  return {
    type: 'x509pop',
    payload: Buffer.from(JSON.stringify({ certificates })),
    answer: (challenge) => {
      const { ecdsa_signature: asked } = JSON.parse(Buffer.from(challenge).toString()) as {
        ecdsa_signature: { nonce: string };
      };
      const nonce = randomBytes(32);
      const data = Buffer.concat([Buffer.from(asked.nonce, 'base64'), nonce]);
      const signature = sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' });
      const [r, s] = [signature.subarray(0, 32), signature.subarray(32)].map((half) => {
        const start = half.findIndex((byte) => byte !== 0);
        return half.subarray(start).toString('base64');
      });
      const ecdsa = { nonce: nonce.toString('base64'), r, s };
      return Buffer.from(JSON.stringify({ rsa_signature: null, ecdsa_signature: ecdsa }));
    },
  };
}

export interface Attested {
  readonly svid: X509Svid;
  readonly reattestable: boolean;
}

/** Attests over this connection. The server's refusal is thrown as it came. */
export async function attest(api: ServerApi, proof: Proof, key: KeyObject = newKey(), csr?: Bytes): Promise<Attested> {
  type Request = Parameters<ServerApi['agent']['attestAgent']>[0] extends AsyncIterable<infer R> ? R : never;
  const requests = new Outbox<Request>();
  const params = { data: { type: proof.type, payload: proof.payload }, params: { csr: csr ?? (await csrOf(key)) } };
  requests.send({ step: { case: 'params', value: params } });
  try {
    for await (const { step } of api.agent.attestAgent(requests, { deadline: 20 })) {
      if (step.case === 'challenge' && proof.answer !== undefined) {
        requests.send({ step: { case: 'challengeResponse', value: await proof.answer(step.value) } });
      } else if (step.case === 'result' && step.value.svid !== undefined) {
        const { reattestable, svid } = step.value;
        return { reattestable, svid: X509Svid.fromParts(svid.certChain.map(parseCertificate), key) };
      } else throw new Error(`an attestation step of kind ${step.case} was not expected`);
    }
    throw new Error('the server ended the attestation without a result');
  } finally {
    requests.end();
  }
}

/** Renews an agent's SVID with a new key. */
export async function renew(api: ServerApi): Promise<X509Svid> {
  const key = newKey();
  const { svid } = await api.agent.renewAgent({ params: { csr: await csrOf(key) } }, { deadline: 20 });
  if (svid === undefined) throw new Error('the server renewed without an SVID');
  return X509Svid.fromParts(svid.certChain.map(parseCertificate), key);
}

export const publicDer = (key: KeyObject): Bytes =>
  createPublicKey(key).export({ type: 'spki', format: 'der' }) as Bytes;
