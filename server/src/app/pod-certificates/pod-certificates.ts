import type { Clock, Logger } from '@steeple/daemon';
import { follow, hasStatus, type KubernetesObject } from '@steeple/daemon/kubernetes';
import type { AuthorizedEntries } from '../authorized-entries.ts';
import type { CertificateAuthority } from '../certificate-authority.ts';
import { Bell } from '../registrar/bell.ts';
import {
  type CertificateSettings,
  deniedStatus,
  entryFor,
  isLongEnough,
  issuedStatus,
  signFor,
} from './issue-pod-certificate.ts';
import {
  Denial,
  isSettled,
  POD_CERTIFICATE_REQUESTS,
  type PodCertificateRequest,
  readPodCertificateRequest,
} from './pod-certificate-request.ts';
import { findPodFacts, type PodFacts, type PodFactsParts } from './pod-facts.ts';
import { checkProofOfPossession } from './proof-of-possession.ts';

export interface PodCertificateParts extends PodFactsParts {
  readonly signerName: string;
  readonly ca: CertificateAuthority;
  readonly authorized: AuthorizedEntries;
  readonly settings: CertificateSettings;
  /** Whether this server is the one that signs. */
  readonly leads: () => boolean;
  /** Calls back when entries change. @returns a function that ends it */
  readonly onEntries: (listener: () => void) => () => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random01: () => number;
}

interface Waiting {
  readonly source: KubernetesObject;
  /** Monotonic seconds. */
  readonly since: number;
  /** What was found out about the pod, and when, while there was no entry for it. */
  found?: { readonly facts: PodFacts; readonly at: number };
}

/** Seconds that a request waits for an entry before it is denied, which is final: the registrar may be about to make it. */
const PATIENCE = 60;
const RETRY = 2;
/** How long what was found out about a pod is good enough to see that there still is no entry. */
const GOOD_ENOUGH = 15;
const AT_ONCE = 8;

/** Grants the requests of one signer: what an agent would hand to a pod comes from the kubelet instead. */
export class PodCertificates {
  readonly #parts: PodCertificateParts;
  readonly #waiting = new Map<string, Waiting>();
  readonly #bell = new Bell();
  #isDue = false;

  constructor(parts: PodCertificateParts) {
    this.#parts = parts;
  }

  /** Looks again, such as when this server became the one that signs. */
  wake(): void {
    this.#bell.ring();
  }

  async run(signal: AbortSignal): Promise<void> {
    const end = this.#parts.onEntries(() => this.#waiting.size > 0 && this.#bell.ring());
    try {
      await Promise.all([this.#watch(signal), this.#work(signal)]);
    } finally {
      end();
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, clock, random01, signerName, logger } = this.#parts;
    const onTrouble = (error: unknown, attempt: number): void => {
      if (attempt % 10 !== 1) return;
      const advice = hasStatus(error, 404) && { advice: 'the cluster needs the feature gate PodCertificateRequest' };
      logger.warn('Pod certificate requests cannot be watched', { attempt, error, ...advice });
    };
    const scope = { fieldSelector: `spec.signerName=${signerName}`, clock, random01, onTrouble };
    for await (const event of follow(client, POD_CERTIFICATE_REQUESTS, scope, signal)) {
      if (event.kind === 'listed') {
        const there = new Set(event.objects.map(({ metadata: { uid } }) => uid));
        for (const uid of this.#waiting.keys()) if (!there.has(uid)) this.#waiting.delete(uid);
        event.objects.forEach((object) => this.#take(object));
      } else if (event.kind === 'removed') this.#waiting.delete(event.object.metadata.uid ?? '');
      else this.#take(event.object);
      if (this.#waiting.size > 0) this.#bell.ring();
    }
  }

  #take(source: KubernetesObject): void {
    const { uid = '' } = source.metadata;
    const { signerName } = (source['spec'] ?? {}) as { signerName?: unknown };
    // The API was asked for ours only; another signer's is not ours to answer.
    if (isSettled(source) || signerName !== this.#parts.signerName) this.#waiting.delete(uid);
    else if (uid !== '' && !this.#waiting.has(uid)) {
      this.#waiting.set(uid, { source, since: this.#parts.clock.monotonic() });
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#bell.wait(signal);
      const waiting = this.#parts.leads() ? [...this.#waiting] : [];
      for (let start = 0; start < waiting.length && !signal.aborted; start += AT_ONCE) {
        await Promise.all(waiting.slice(start, start + AT_ONCE).map(([uid, one]) => this.#answer(uid, one, signal)));
      }
      if (this.#waiting.size > 0) this.#again(signal);
    }
  }

  /** Looks again soon at what is left. */
  #again(signal: AbortSignal): void {
    if (this.#isDue) return;
    this.#isDue = true;
    const ring = (): void => {
      this.#isDue = false;
      this.#bell.ring();
    };
    this.#parts.clock.sleep(RETRY, signal).then(ring, () => undefined);
  }

  async #answer(uid: string, waiting: Waiting, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#parts;
    const { name, namespace } = waiting.source.metadata;
    const about = { request: `${namespace}/${name}` };
    try {
      const status = await this.#judge(waiting, signal).catch((error: unknown) => {
        if (!(error instanceof Denial)) throw error;
        logger.warn('Pod certificate denied', { ...about, reason: error.reason, error: error.message });
        return deniedStatus(error, clock.now());
      });
      if (status === undefined) return;
      const { client } = this.#parts;
      await client.patch(
        POD_CERTIFICATE_REQUESTS,
        { name, namespace, subresource: 'status' },
        { status },
        { kind: 'merge' },
        signal,
      );
      this.#waiting.delete(uid);
    } catch (error) {
      if (signal.aborted) return;
      // Gone, or answered by another server.
      if (hasStatus(error, 404) || hasStatus(error, 409)) this.#waiting.delete(uid);
      logger.error('A pod certificate request could not be answered', { ...about, error });
    }
  }

  /** So that many that wait do not ask the API again and again. */
  #isStillWithout({ found }: Waiting): boolean {
    if (found === undefined || this.#parts.clock.monotonic() - found.at > GOOD_ENOUGH) return false;
    return entryFor(found.facts, this.#parts.authorized) === undefined;
  }

  /** The status to write; undefined while there is hope for an entry. @throws {Denial} */
  async #judge(waiting: Waiting, signal: AbortSignal): Promise<object | undefined> {
    const { clock, ca, settings, logger } = this.#parts;
    const request = readPodCertificateRequest(waiting.source);
    checkProofOfPossession(request);
    const isPatient = clock.monotonic() - waiting.since < PATIENCE;
    if (isPatient && this.#isStillWithout(waiting)) return undefined;
    const facts = await findPodFacts(request, this.#parts, signal);
    const entry = entryFor(facts, this.#parts.authorized);
    if (entry === undefined) {
      waiting.found = { facts, at: clock.monotonic() };
      if (isPatient) return undefined;
      throw noEntry(request, facts);
    }
    const signed = await signFor(request, entry, ca, settings);
    if (!isLongEnough(signed)) {
      logger.warn('The authority ends too soon for pod certificates; they wait for the next one', {
        entry_id: entry.id,
      });
      return undefined;
    }
    logger.info('Pod certificate issued', {
      entry_id: entry.id,
      spiffe_id: entry.spiffeId.toString(),
      pod: `${request.namespace}/${request.podName}`,
      node: request.nodeName,
    });
    return issuedStatus(signed, clock.now());
  }
}

const noEntry = ({ namespace, podName }: PodCertificateRequest, { agent, hint }: PodFacts): Denial =>
  new Denial(
    'NoEntry',
    `no entry under ${agent.id.toString()} has selectors that pod ${namespace}/${podName} fulfils${
      hint === undefined ? '' : ` and the hint ${JSON.stringify(hint)}`
    }; register it and create the pod anew`,
  );
