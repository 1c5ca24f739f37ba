import { IssuerError } from '@steeple/core';
import { buildPath, type Certificate, SpiffeError } from '@steeple/spiffe';

/** TCG's purpose of endorsement certificates (tcg-kp-EKCertificate), and "any" (RFC 5280 section 4.2.1.12). */
const ENDORSEMENT_PURPOSES = ['2.23.133.8.1', '2.5.29.37.0'];

/** Who is believed; `now` gives Unix seconds. */
export interface Trust {
  readonly devIdRoots: readonly Certificate[];
  readonly endorsementRoots: readonly Certificate[];
  readonly now: () => number;
}

/**
 * Every chain from a DevID certificate to a root: one for each root that vouches.
 *
 * @throws {IssuerError} `permission-denied`
 */
export function devIdChains(
  leaf: Certificate,
  intermediates: readonly Certificate[],
  { devIdRoots, now }: Trust,
): readonly (readonly Certificate[])[] {
  const question = { leaf, intermediates, now: now() };
  const first = believe('DevID', () => buildPath({ ...question, anchors: devIdRoots }));
  if (leaf.keyUsage !== undefined && !leaf.keyUsage.digitalSignature) {
    throw refused('DevID', 'it is not meant for signatures');
  }
  const others = devIdRoots.filter((root) => first.at(-1)?.equals(root) !== true);
  const more = others.flatMap((root) => {
    try {
      return [buildPath({ ...question, anchors: [root] })];
    } catch (error) {
      if (error instanceof SpiffeError) return [];
      throw error;
    }
  });
  return [first, ...more];
}

/**
 * Whether a manufacturer vouches for a TPM. The vendor's intermediates are among the roots: agents send none. Their subject
 * alternative name, which is critical and holds the TPM's model, says nothing that is needed here.
 *
 * @throws {IssuerError} `permission-denied`
 */
export function requireEndorsed(certificate: Certificate, { endorsementRoots, now }: Trust): void {
  believe('endorsement', () =>
    buildPath({ leaf: certificate, intermediates: [], anchors: endorsementRoots, now: now() }),
  );
  const purposes = certificate.extKeyUsage;
  if (purposes === undefined || purposes.some((purpose) => ENDORSEMENT_PURPOSES.includes(purpose))) return;
  throw refused('endorsement', 'it was issued for another purpose');
}

function believe<T>(which: string, build: () => T): T {
  try {
    return build();
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause;
    throw refused(which, cause.message, cause);
  }
}

function refused(which: string, reason: string, cause?: unknown): IssuerError {
  return new IssuerError('permission-denied', `tpm_devid: the ${which} certificate is not trusted: ${reason}`, {
    cause,
  });
}
