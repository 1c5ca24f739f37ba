import { constants, type KeyObject, verify } from 'node:crypto';
import { contextConstructed } from '../der/tags.ts';
import { encodeOid, NULL, sequence, smallInteger, tlv } from '../der/writer.ts';
import { encodeHex } from '../encoding/hex.ts';
import type { KeyTypeRow } from '../keys/key-type.ts';

/** How one AlgorithmIdentifier is verified. */
interface SignatureAlgorithm {
  readonly family: KeyTypeRow['family'];
  readonly hash: KeyTypeRow['hash'];
  /** Octets of salt; RSASSA-PSS only. */
  readonly saltLength?: number;
}

/**
 * The algorithms we verify, by the hexadecimal DER of their whole AlgorithmIdentifier, parameters included. What is not
 * here is refused, above all SHA-1 and MD5.
 */
const ALGORITHMS: ReadonlyMap<string, SignatureAlgorithm> = new Map(
  [
    row([encodeOid('1.3.101.112')], { family: 'ed25519', hash: undefined }),
    ...(
      [
        ['sha256', '1.2.840.10045.4.3.2', '1.2.840.113549.1.1.11', '2.16.840.1.101.3.4.2.1', 32],
        ['sha384', '1.2.840.10045.4.3.3', '1.2.840.113549.1.1.12', '2.16.840.1.101.3.4.2.2', 48],
        ['sha512', '1.2.840.10045.4.3.4', '1.2.840.113549.1.1.13', '2.16.840.1.101.3.4.2.3', 64],
      ] as const
    ).flatMap(([hash, ecdsa, rsa, digest, saltLength]) => [
      row([encodeOid(ecdsa)], { family: 'ec', hash }),
      row([encodeOid(rsa), NULL], { family: 'rsa', hash }),
      // RFC 4055 section 5: absent parameters are to be accepted as well, in a digest too.
      row([encodeOid(rsa)], { family: 'rsa', hash }),
      row(pss(sequence(encodeOid(digest), NULL), saltLength), { family: 'rsa', hash, saltLength }),
      row(pss(sequence(encodeOid(digest)), saltLength), { family: 'rsa', hash, saltLength }),
    ]),
  ].map(({ identifier, algorithm }) => [encodeHex(identifier), algorithm]),
);

/**
 * Whether a signature over the bytes was made with the key, by an algorithm that is sound and fits the key. That the key
 * itself is sound is for its import to say: pass only what `publicKeyFromSpki` gave.
 */
export function verifySignature(
  algorithmIdentifier: Uint8Array,
  publicKey: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const algorithm = ALGORITHMS.get(encodeHex(algorithmIdentifier));
  // Families bear Node's names of key types; asking for more than the name costs a tenth of the whole verification.
  if (algorithm === undefined || algorithm.family !== publicKey.asymmetricKeyType) return false;
  const { hash, saltLength } = algorithm;
  if (saltLength === undefined) return verify(hash, data, publicKey, signature);
  return verify(hash, data, { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }, signature);
}

function row(parts: readonly Uint8Array[], algorithm: SignatureAlgorithm) {
  return { identifier: sequence(...parts), algorithm };
}

/** RSASSA-PSS with MGF1 over the same digest and a salt as long as it; the trailer field stays at its default. */
function pss(digest: Uint8Array, saltLength: number): readonly Uint8Array[] {
  const mask = sequence(encodeOid('1.2.840.113549.1.1.8'), digest);
  return [
    encodeOid('1.2.840.113549.1.1.10'),
    sequence(
      tlv(contextConstructed(0), digest),
      tlv(contextConstructed(1), mask),
      tlv(contextConstructed(2), smallInteger(saltLength)),
    ),
  ];
}
