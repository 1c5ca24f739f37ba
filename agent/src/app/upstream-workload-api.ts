import { credentials } from '@grpc/grpc-js';
import { Code, createClient, GrpcError } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { parseCertificates, TrustBundle, type TrustDomain } from '@steeple/spiffe';

/** Seconds. */
const TIMEOUT = 60;

/** The bundle of the trust domain as another agent knows it. @throws GrpcError */
export async function bundleFromWorkloadApi(
  address: string,
  trustDomain: TrustDomain,
  signal: AbortSignal,
): Promise<TrustBundle> {
  const client = createClient(SpiffeWorkloadAPI, {
    address: target(address),
    credentials: credentials.createInsecure(),
  });
  const done = new AbortController();
  try {
    const call = {
      metadata: { 'workload.spiffe.io': 'true' },
      signal: AbortSignal.any([signal, done.signal]),
      deadline: TIMEOUT,
    };
    for await (const { bundles } of client.fetchX509Bundles({}, call)) {
      const roots = bundles[trustDomain.id];
      if (roots === undefined) break;
      const x509Authorities = parseCertificates(roots).map((certificate) => ({ certificate, tainted: false }));
      return TrustBundle.of(trustDomain, { x509Authorities });
    }
    throw GrpcError.of(Code.UNAVAILABLE, `the Workload API at ${address} has no bundle of ${trustDomain.name}`);
  } finally {
    done.abort();
    client.close();
  }
}

/** `unix:///path` and `tcp://1.2.3.4:8000` as gRPC writes them. */
function target(address: string): string {
  return address.startsWith('tcp://') ? address.slice('tcp://'.length) : `unix:${new URL(address).pathname}`;
}
