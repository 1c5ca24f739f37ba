import type { Certificate, NameConstraints, Subtree } from '@steeple/spiffe';

/**
 * Whether an authority with these constraints may have names of this certificate below it (RFC 5280 section 4.2.1.10).
 * DNS names are compared; a constraint on another kind forbids every name of that kind, which errs on the safe side.
 */
export function namesPermitted(certificate: Certificate, constraints: NameConstraints | undefined): boolean {
  if (constraints === undefined) return true;
  const { permitted, excluded } = constraints;
  const kinds = new Set([...permitted, ...excluded].map(({ kind }) => kind));
  // The subject is a directory name, and a certificate always has one.
  if (kinds.has('directory') || kinds.has('other')) return false;
  if (kinds.has('uri') && certificate.uriSans.length > 0) return false;
  if (kinds.has('ip') && certificate.ipSans.length > 0) return false;
  if (kinds.has('email') && certificate.emailSans.length > 0) return false;
  const permittedDns = permitted.filter(isDns);
  return certificate.dnsSans.every(
    (name) =>
      (permittedDns.length === 0 || permittedDns.some(({ base }) => isWithin(name, base))) &&
      !excluded.filter(isDns).some(({ base }) => isWithin(name, base) || isWildcardAround(name, base)),
  );
}

function isDns({ kind }: Subtree): boolean {
  return kind === 'dns';
}

function isWithin(name: string, base: string): boolean {
  const [inner, outer] = [name.toLowerCase(), base.toLowerCase().replace(/^\./, '')];
  return outer === '' || inner === outer || inner.endsWith(`.${outer}`);
}

/** `*.example.org` stands for an excluded `host.example.org` too. */
function isWildcardAround(name: string, base: string): boolean {
  return name.startsWith('*.') && isWithin(base, name.slice(2));
}
