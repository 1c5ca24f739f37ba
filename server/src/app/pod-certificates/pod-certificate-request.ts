import type { KubernetesObject, ResourceType } from '@steeple/daemon/kubernetes';

/** certificates.k8s.io, as Kubernetes 1.34 has it. */
export const POD_CERTIFICATE_REQUESTS: ResourceType = {
  group: 'certificates.k8s.io',
  version: 'v1alpha1',
  plural: 'podcertificaterequests',
  namespaced: true,
};

/** What a kubelet asks for on behalf of a pod. */
export interface PodCertificateRequest {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly signerName: string;
  readonly podName: string;
  readonly podUid: string;
  readonly serviceAccountName: string;
  readonly nodeName: string;
  readonly nodeUid: string;
  /** Seconds. */
  readonly maxExpiration: number;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** A signature over the pod's UID. */
  readonly proof: Uint8Array;
}

/** A request that can never be granted; reason as in a condition, CamelCase. */
export class Denial extends Error {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

const SETTLED = new Set(['Issued', 'Denied', 'Failed']);
/** What the API allows for keys and proofs together has room in this. */
const LARGEST = 16_384;

/** Whether it was answered already. */
export const isSettled = ({ status }: KubernetesObject): boolean => {
  const { conditions } = (status ?? {}) as { conditions?: unknown };
  return (
    Array.isArray(conditions) && conditions.some((one) => SETTLED.has((one as { type?: string } | null)?.type ?? ''))
  );
};

/** @throws {Denial} naming the field that is missing or wrong */
export function readPodCertificateRequest({ metadata, spec }: KubernetesObject): PodCertificateRequest {
  const fields = (spec ?? {}) as Readonly<Record<string, unknown>>;
  const text = (name: string): string => {
    const value = fields[name];
    if (typeof value === 'string' && value !== '' && value.length <= LARGEST) return value;
    throw new Denial('InvalidRequest', `spec.${name} is missing or no text`);
  };
  const bytes = (name: string): Uint8Array => {
    const decoded = Buffer.from(text(name), 'base64');
    if (decoded.length === 0) throw new Denial('InvalidRequest', `spec.${name} is not base64`);
    return new Uint8Array(decoded);
  };
  const maxExpiration = fields['maxExpirationSeconds'];
  if (typeof maxExpiration !== 'number' || !Number.isSafeInteger(maxExpiration)) {
    throw new Denial('InvalidRequest', 'spec.maxExpirationSeconds is missing or no number');
  }
  const { namespace, uid } = metadata;
  if (namespace === undefined || uid === undefined) throw new Denial('InvalidRequest', 'metadata is incomplete');
  return {
    name: metadata.name,
    namespace,
    uid,
    maxExpiration,
    signerName: text('signerName'),
    podName: text('podName'),
    podUid: text('podUID'),
    serviceAccountName: text('serviceAccountName'),
    nodeName: text('nodeName'),
    nodeUid: text('nodeUID'),
    spki: bytes('pkixPublicKey'),
    proof: bytes('proofOfPossession'),
  };
}
