import { generateKeyPairSync } from 'node:crypto';
import { type AuthorityState, IssuerError } from '@steeple/core';
import { checkValue } from '@steeple/daemon/config';
import { type Datastore, type KeyManager, loadPlugin } from '@steeple/plugins';
import { SpiffeId, spkiOf, TrustDomain, verifyJwtSvid, verifyX509Svid } from '@steeple/spiffe';
import { FakeClock, MemoryLogger } from '@steeple/test-kit';
import { ActiveAuthorities } from '../app/active-authorities.ts';
import { AuthorityBook } from '../app/authority-book.ts';
import { AuthorityKeys } from '../app/authority-keys.ts';
import { AuthorityRotation } from '../app/authority-rotation.ts';
import { AuthorityTaints } from '../app/authority-taints.ts';
import { BundleDelivery } from '../app/bundle-delivery.ts';
import { Bundles } from '../app/bundles.ts';
import { CertificateAuthority } from '../app/certificate-authority.ts';
import { systemRandom } from '../app/randomness.ts';
import { Serial } from '../app/serial.ts';

export const TD = TrustDomain.parse('example.org');
export const HOUR = 3600;
export const never: AbortSignal = new AbortController().signal;
const spki = spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);

interface Stores {
  readonly clock: FakeClock;
  readonly datastore: Datastore;
  readonly keys: KeyManager;
}

export const newStores = async (): Promise<Stores> => {
  const clock = new FakeClock();
  const host = { clock, logger: new MemoryLogger(), trustDomain: TD };
  const [store, manager] = [await loadPlugin('datastore', 'memory'), await loadPlugin('key-manager', 'memory')];
  return {
    clock,
    datastore: await store.create(checkValue(store.schema, {}), host),
    keys: await manager.create(checkValue(manager.schema, {}), host),
  };
};

/** One run of a server's authorities over the stores. */
export const begin = async ({ clock, datastore, keys }: Stores) => {
  const bundles = new Bundles(TD, datastore.bundles);
  datastore.watch((change) => bundles.apply(change));
  await bundles.load();
  const active = new ActiveAuthorities();
  const logger = new MemoryLogger();
  const [book, serial] = [new AuthorityBook(datastore.authorities, bundles), new Serial()];
  const taints = new AuthorityTaints(book, serial, false, logger);
  const delivery = new BundleDelivery(datastore.agents, clock);
  const rotation = new AuthorityRotation({
    kinds: ['x509', 'jwt', 'wit'],
    book,
    serial,
    taints,
    delivery,
    upstream: undefined,
    keys: new AuthorityKeys(keys, systemRandom, {
      trustDomain: TD,
      ttl: 24 * HOUR,
      subject: { country: ['US'], organization: ['SPIFFE'] },
      keyTypes: { x509: 'ec-p256', jwt: 'ec-p256', wit: 'ec-p256' },
    }),
    active,
    clock,
    logger,
  });
  await rotation.start();
  // What it left for after the start is done too.
  await rotation.tick();
  const settings = { x509SvidTtl: HOUR, jwtSvidTtl: 300, witSvidTtl: HOUR, jwtIssuer: undefined, witIssuer: undefined };
  const ca = new CertificateAuthority(active, bundles, clock, systemRandom, settings);
  const sign = async () => {
    const id = SpiffeId.parse('spiffe://example.org/w');
    const { chain } = await ca.signX509({ id, spki });
    const { token } = await ca.signJwt({ id, audience: ['a'] });
    const check = () => {
      verifyX509Svid(chain, bundles, { now: clock.now() });
      verifyJwtSvid(token, bundles, ['a'], { now: clock.now() });
    };
    check();
    return check;
  };
  return { rotation, taints, delivery, logger, bundles, sign };
};

export const named = ({ active, prepared, old }: AuthorityState) =>
  [active, prepared, old].map((slot) => slot && [slot.slot, slot.status, slot.authorityId, slot.notAfter]);

export const outcome = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.catch((error: unknown) => error);
  if (!(error instanceof IssuerError)) throw new Error(`expected a refusal, got ${String(error)}`);
  return `${error.code}: ${error.message}`;
};
