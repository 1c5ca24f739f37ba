import { type DerElement, type DerReader, malformed } from '../der/reader.ts';
import { contextConstructed, contextPrimitive, TAG } from '../der/tags.ts';
import { readAscii } from '../der/text.ts';

/** Tags of GeneralName (RFC 5280 section 4.2.1.6). */
export const GENERAL_NAME = {
  otherName: contextConstructed(0),
  email: contextPrimitive(1),
  dns: contextPrimitive(2),
  x400Address: contextConstructed(3),
  directoryName: contextConstructed(4),
  ediPartyName: contextConstructed(5),
  uri: contextPrimitive(6),
  ip: contextPrimitive(7),
  registeredId: contextPrimitive(8),
} as const;

/** Tags of every kind of GeneralName; another tag is not a name. */
export const GENERAL_NAME_TAGS: ReadonlySet<number> = new Set(Object.values(GENERAL_NAME));

/** The alternative names of a certificate or request, read from DER and never from a printed form (X509-H2). */
export interface AlternativeNames {
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  /** Dotted IPv4, or eight groups of IPv6. */
  readonly ipAddresses: readonly string[];
  readonly emails: readonly string[];
  /** How many names of other kinds there are. */
  readonly others: number;
}

/**
 * Reads GeneralNames.
 *
 * @throws SpiffeError `malformed-der`, also for an empty list
 */
export function readAlternativeNames(names: DerReader): AlternativeNames {
  if (names.done) throw malformed('empty list of alternative names');
  const uris: string[] = [];
  const dnsNames: string[] = [];
  const ipAddresses: string[] = [];
  const emails: string[] = [];
  let others = 0;
  while (!names.done) {
    const name = names.next();
    if (name.tag === GENERAL_NAME.uri) uris.push(readAscii(name));
    else if (name.tag === GENERAL_NAME.dns) dnsNames.push(readAscii(name));
    else if (name.tag === GENERAL_NAME.ip) ipAddresses.push(ipText(name));
    else if (name.tag === GENERAL_NAME.email) emails.push(readAscii(name));
    else {
      requireForm(name);
      others++;
    }
  }
  return { uris, dnsNames, ipAddresses, emails, others };
}

/** Of the kinds that are only counted: who reads them must be able to, or two readers see two certificates. */
function requireForm(name: DerElement): void {
  if (!GENERAL_NAME_TAGS.has(name.tag)) throw malformed('unknown kind of alternative name');
  if (name.tag === GENERAL_NAME.registeredId) return;
  const parts = name.reader();
  if (name.tag === GENERAL_NAME.otherName) {
    parts.expect(TAG.oid);
    parts.expect(contextConstructed(0)).reader().skipAll();
    parts.finish();
  } else parts.skipAll();
}

function ipText({ contents }: DerElement): string {
  if (contents.length === 4) return contents.join('.');
  if (contents.length !== 16) throw malformed('IP address of neither 4 nor 16 octets');
  const groups = Array.from(
    { length: 8 },
    (_, index) => ((contents[2 * index] ?? 0) << 8) | (contents[2 * index + 1] ?? 0),
  );
  return groups.map((group) => group.toString(16)).join(':');
}
