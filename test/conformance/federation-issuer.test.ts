// When a server publishes its authorities, uses them, and takes them away; its clock is ours.

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { buffer } from 'node:stream/consumers';
import {
  generateKey,
  localSigner,
  makeCsr,
  parseBundleDocument,
  parseCertificate,
  type TrustBundle,
  TrustDomain,
} from '@steeple/spiffe';
import { TestTrustDomain } from '@steeple/test-kit';
import { expect, it, vi } from 'vitest';
import { Domain, publishing } from './federation-world.ts';

const HOUR = 3600;
const A = TrustDomain.parse('a.test');

const open = async (): Promise<Domain> => Domain.open('a.test', await TestTrustDomain.create('web.test'), publishing());

/** What the endpoint publishes now. */
const published = async (domain: Domain): Promise<TrustBundle> => {
  const [response] = (await once(get(domain.url, { rejectUnauthorized: false, agent: false }), 'response')) as [
    IncomingMessage,
  ];
  return parseBundleDocument(A, await buffer(response));
};

const roots = async (domain: Domain): Promise<string[]> =>
  (await published(domain)).x509Authorities.map(({ certificate }) => certificate.subjectKeyId ?? '');

/** The authority that signs a certificate now. */
const signer = async (domain: Domain): Promise<string> => {
  const csr = Uint8Array.from(await makeCsr(localSigner(generateKey('ec-p256')), { uri: 'spiffe://a.test/x' }));
  const { svid } = await domain.svids.mintX509SVID({ csr });
  return parseCertificate(svid?.certChain[0] ?? new Uint8Array()).authorityKeyId ?? '';
};

/** The key that signs a token now. */
const tokenSigner = async (domain: Domain): Promise<string> => {
  const { svid } = await domain.svids.mintJWTSVID({ id: { trustDomain: 'a.test', path: '/x' }, audience: ['y'] });
  return (JSON.parse(Buffer.from(svid?.token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;
};

it('[FED-01] takes in new authorities and gives up old ones at an operator’s word', async () => {
  await using domain = await open();
  const [first] = await roots(domain);
  const { active } = await domain.authorities.getX509AuthorityState({});
  const { preparedAuthority } = await domain.authorities.prepareX509Authority({});
  await domain.authorities.activateX509Authority({ authorityId: preparedAuthority?.authorityId ?? '' });
  await domain.authorities.taintX509Authority({ authorityId: active?.authorityId ?? '' });
  await domain.authorities.revokeX509Authority({ authorityId: active?.authorityId ?? '' });
  const now = await roots(domain);
  expect(now).toHaveLength(1);
  expect(now).not.toContain(first);
});

it('[FED-03] signs with nothing that was not published before, whatever order operators choose', async () => {
  await using domain = await open();
  for (let round = 0; round < 4; round += 1) {
    const x509 = await domain.authorities.prepareX509Authority({});
    const jwt = await domain.authorities.prepareJWTAuthority({});
    const before = await published(domain);
    if (round % 2 === 1) await domain.startAgain();
    await domain.authorities.activateX509Authority({ authorityId: x509.preparedAuthority?.authorityId ?? '' });
    const signedBy = await signer(domain);
    await domain.authorities.activateJWTAuthority({ authorityId: jwt.preparedAuthority?.authorityId ?? '' });
    const tokenSignedBy = await tokenSigner(domain);
    expect(before.x509Authorities.map(({ certificate }) => certificate.subjectKeyId)).toContain(signedBy);
    expect(before.jwtAuthorities.map(({ kid }) => kid)).toContain(tokenSignedBy);
  }
});

it('[FED-02] publishes a new authority hours before it signs, many times the refresh hint', async () => {
  await using domain = await open();
  const [first = ''] = await roots(domain);
  await domain.startAgain(11 * HOUR);
  expect(await roots(domain)).toEqual([first]);
  await domain.startAgain(13 * HOUR);
  // A server first serves with what it has, and then prepares what is due.
  await vi.waitFor(async () => expect(await roots(domain)).toHaveLength(2));
  const both = await roots(domain);
  expect(await signer(domain)).toBe(first);
  await domain.startAgain(19 * HOUR);
  expect([await roots(domain), await signer(domain)]).toEqual([both, first]);
  await domain.startAgain(21 * HOUR);
  await vi.waitFor(async () => expect(both.slice(1)).toEqual([await signer(domain)]));
});

it('[FED-04] keeps an old authority while anything it signed may live, and takes it away then', async () => {
  await using domain = await open();
  const [first = ''] = await roots(domain);
  for (const hours of [13, 21, 23]) {
    await domain.startAgain(hours * HOUR);
    expect(await roots(domain)).toContain(first);
  }
  // Good for 24 hours, and kept for a day after that.
  await domain.startAgain(49 * HOUR);
  for (let looks = 0; looks < 500 && (await roots(domain)).includes(first); looks += 1) {
    await new Promise((done) => setTimeout(done, 10));
  }
  expect(await roots(domain)).not.toContain(first);
});
