import type { AuthorityKind } from '@steeple/core';
import { type CallMeter, measureCall } from '@steeple/daemon/metrics';
import type { KeyManager } from '@steeple/plugins';
import type { TrustDomain, X509Issuer } from '@steeple/spiffe';
import type { ActiveAuthorities } from '../app/active-authorities.ts';
import type { AuthorityKeys } from '../app/authority-keys.ts';
import type { CertificateAuthority } from '../app/certificate-authority.ts';
import type { Downstream } from '../app/downstream.ts';
import { type Method, wrapMethods } from './wrap-methods.ts';

/** What SPIRE calls the authorities of each kind. */
const NAMES: Readonly<Record<AuthorityKind, string>> = { x509: 'x509_ca', jwt: 'jwt_key', wit: 'wit_key' };

/** Counts what is signed. */
export const measuredCa = (ca: CertificateAuthority, { metrics }: CallMeter): CertificateAuthority =>
  wrapMethods(ca, counted(metrics, { signX509: 'x509_svid', signJwt: 'jwt_svid', signWit: 'wit_svid' }));

/** Counts the CAs that servers below get. */
export const measuredDownstream = (downstream: Downstream, { metrics }: CallMeter): Downstream =>
  wrapMethods(downstream, counted(metrics, { newCa: 'x509_ca_svid' }));

const counted =
  (metrics: CallMeter['metrics'], signers: Readonly<Record<string, string>>) =>
  (name: string, sign: Method): Method | undefined => {
    const signed = signers[name];
    if (signed === undefined) return undefined;
    return async (...args) => {
      const result = await sign(...args);
      metrics.counter(`server_ca.sign.${signed}`);
      return result;
    };
  };

const KEY_OPERATIONS: Readonly<Record<string, string>> = {
  generate: 'generate_key',
  find: 'get_public_key',
  list: 'get_public_keys',
};

/** Counts and times what the key manager does. */
export const measuredKeyManager = (keys: KeyManager, meter: CallMeter): KeyManager =>
  wrapMethods(keys, (name, method) => {
    const operation = KEY_OPERATIONS[name];
    if (operation === undefined) return undefined;
    return (...args) => measureCall(meter, `server_key_manager.${operation}`, () => method(...args));
  });

/** Counts and times the making of authorities. */
export const measuredKeys = (keys: AuthorityKeys, meter: CallMeter): AuthorityKeys =>
  wrapMethods(keys, (name, make) => {
    if (name !== 'make') return undefined;
    return (...args) =>
      measureCall(meter, `ca.manager.${NAMES[args[0] as AuthorityKind]}.prepare`, () => make(...args));
  });

/** Tells when authorities take over, and until when the X.509 one is good. */
export const measuredActive = (
  active: ActiveAuthorities,
  { metrics }: CallMeter,
  { trustDomain, now }: { readonly trustDomain: TrustDomain; readonly now: () => number },
): ActiveAuthorities =>
  wrapMethods(active, (name, activate) => {
    switch (name) {
      case 'activateX509':
        return (...args) => {
          activate(...args);
          const { notAfter } = (args[0] as X509Issuer).certificate;
          const labels = { trust_domain_id: trustDomain.name };
          metrics.counter('ca.manager.x509_ca.activate');
          metrics.gauge('manager.x509_ca.rotate.expiration', notAfter, labels);
          metrics.gauge('manager.x509_ca.rotate.ttl', notAfter - now(), labels);
        };
      case 'activateToken':
        return (...args) => {
          activate(...args);
          metrics.counter(`manager.${NAMES[args[0] as AuthorityKind]}.activate`);
        };
      default:
        return undefined;
    }
  });
