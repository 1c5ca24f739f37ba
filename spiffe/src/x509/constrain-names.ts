import type { Certificate } from './certificate.ts';
import type { ConstrainedKind, NameConstraints, Subtree } from './name-constraints.ts';

const EMPTY_NAME_BYTES = 2;

/**
 * Whether all names of a certificate lie inside the constraints of one CA above it (RFC 5280 sections 4.2.1.10 and 6.1.4).
 * URIs and DNS names are compared; a constraint on names of any other kind allows no name of that kind at all, which is
 * the safe side of what the standard leaves to us.
 */
export function namesAreWithin(constraints: NameConstraints, certificate: Certificate): boolean {
  const { permitted, excluded } = constraints;
  if (!certificate.uriSans.every((uri) => uriIsWithin(permitted, excluded, uri))) return false;
  if (!certificate.dnsSans.every((name) => isWithin('dns', permitted, excluded, (base) => dnsMatches(base, name)))) {
    return false;
  }
  const present: readonly [ConstrainedKind, boolean][] = [
    ['ip', certificate.ipSans.length > 0],
    ['email', certificate.emailSans.length > 0],
    ['other', certificate.otherSans > 0],
    ['directory', certificate.otherSans > 0 || certificate.subject.length > EMPTY_NAME_BYTES],
  ];
  return present.every(([kind, has]) => !has || !concerns(permitted, excluded, kind));
}

function uriIsWithin(permitted: readonly Subtree[], excluded: readonly Subtree[], uri: string): boolean {
  if (!concerns(permitted, excluded, 'uri')) return true;
  const host = hostOf(uri);
  // A constraint says something about hosts; a URI without one cannot be shown to lie inside.
  return host !== undefined && isWithin('uri', permitted, excluded, (base) => hostMatches(base, host));
}

function isWithin(
  kind: ConstrainedKind,
  permitted: readonly Subtree[],
  excluded: readonly Subtree[],
  matches: (base: string) => boolean,
): boolean {
  const ofKind = (subtrees: readonly Subtree[]) => subtrees.filter((subtree) => subtree.kind === kind);
  if (ofKind(excluded).some(({ base }) => matches(base))) return false;
  const allowed = ofKind(permitted);
  return allowed.length === 0 || allowed.some(({ base }) => matches(base));
}

function concerns(permitted: readonly Subtree[], excluded: readonly Subtree[], kind: ConstrainedKind): boolean {
  return [...permitted, ...excluded].some((subtree) => subtree.kind === kind);
}

/** `.example.org` means its subdomains only, `example.org` that host only. */
function hostMatches(base: string, host: string): boolean {
  const [wanted, actual] = [base.toLowerCase(), host.toLowerCase()];
  return wanted.startsWith('.') ? actual.length > wanted.length && actual.endsWith(wanted) : actual === wanted;
}

/** For DNS names a base stands for itself and everything below it. */
function dnsMatches(base: string, name: string): boolean {
  const wanted = base.toLowerCase().replace(/^\./, '');
  const actual = name.toLowerCase();
  return wanted === '' || actual === wanted || actual.endsWith(`.${wanted}`);
}

/** Host of an absolute URI, cut out by hand: a URL class would normalise what is to be compared. */
function hostOf(uri: string): string | undefined {
  const authority = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]*)/.exec(uri)?.[1];
  const host = authority?.replace(/^.*@/, '').replace(/:[0-9]*$/, '');
  return host === '' ? undefined : host;
}
