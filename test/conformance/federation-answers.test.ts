// What a real server takes from the bundle endpoints of other trust domains, asked over its API.
import { MAX_BUNDLE_BYTES } from '@steeple/spiffe';
import { expect, it } from 'vitest';
import { answering, publishing } from '../../server/src/testing/endpoint.ts';
import { Domain, spiffeProfile, WEB_PROFILE } from './federation-world.ts';
import { ReaderWorld } from './reader-world.ts';

const EXAMPLE = 'https://b.test/';
const INVALID_ARGUMENT = 3;
const w = new ReaderWorld();

it('[FED-12] [FED-19] reads over https_web with nothing more than URL and name, and over https_spiffe', async () => {
  await w.overWeb();
  expect(await w.refresh()).toBe('fresh');
  expect((await w.known()).x509Authorities).toHaveLength(1);
  await w.renew();
  await w.overSpiffe();
  expect(await w.refresh()).toBe('fresh');
});

it('[FED-15] [FED-18] [FED-33] wants a name, a profile and an https URL without user', async () => {
  const profiles = [WEB_PROFILE, spiffeProfile('spiffe://b.test/ep')];
  for (const profile of profiles) {
    for (const url of ['', 'http://b.test/', 'HTTP://b.test/', 'https://u:p@b.test/', 'https://u@b.test/', 'b.test']) {
      expect([url, await w.reader.relate('b.test', url, profile)]).toEqual([url, INVALID_ARGUMENT]);
    }
    expect(await w.reader.relate('', EXAMPLE, profile)).toBe(INVALID_ARGUMENT);
  }
  expect(await w.reader.relate('b.test', EXAMPLE)).toBe(INVALID_ARGUMENT);
  expect(await w.reader.relate('odd.test', 'https://b.test:8443/any/path?x=1', WEB_PROFILE)).toBe(0);
});

it('[FED-29] [FED-46] takes the trust domain from the relationship, whatever the document says', async () => {
  await w.overWeb(answering('{"keys":[],"trust_domain":"victim.test","spiffe_sequence":9}'));
  expect(await w.refresh()).toBe('fresh');
  expect((await w.known()).sequenceNumber).toBe(9n);
  await expect(w.reader.known('victim.test')).rejects.toThrow('not found');
});

it('[FED-08] [FED-09] refuses an older sequence, and takes the last document when there is none', async () => {
  let sequence = '"spiffe_sequence":9007199254740993,';
  await w.overWeb((_request, response) => void response.end(`{${sequence}"keys":[]}`));
  expect(await w.refresh()).toBe('fresh');
  sequence = '"spiffe_sequence":9007199254740992,';
  expect(await w.refresh()).toContain('older than the stored');
  expect((await w.known()).sequenceNumber).toBe(9007199254740993n);
  sequence = '';
  expect(await w.refresh()).toBe('fresh');
  w.site.answer = publishing(() => w.b.bundle.with({ sequence: 0n }));
  expect(await w.refresh()).toBe('fresh');
  expect((await w.known()).x509Authorities).toHaveLength(1);
});

it('[FED-10] lets an operator set a bundle, until the next refresh', async () => {
  await w.overWeb();
  expect(await w.refresh()).toBe('fresh');
  await w.reader.bundles.batchSetFederatedBundle({ bundle: [{ trustDomain: w.name }] });
  expect((await w.known()).x509Authorities).toEqual([]);
  expect(await w.refresh()).toBe('fresh');
  expect((await w.known()).x509Authorities).toHaveLength(1);
});

it('[FED-07] knows after a restart what it fetched before', async () => {
  await w.overWeb();
  expect(await w.refresh()).toBe('fresh');
  const before = await w.known();
  w.site.answer = answering('', 500);
  await w.reader.startAgain();
  expect(await w.refresh()).toContain('unexpected status 500');
  expect(await w.known()).toEqual(before);
});

it('[FED-53] notes every fetch: from where, from whom, what', async () => {
  await w.overSpiffe();
  await w.b.rotate();
  await w.refresh();
  const { fields } = w.reader.logger.records.findLast(({ message }) => message === 'Federated bundle refreshed') ?? {};
  expect(fields).toMatchObject({
    trust_domain: w.name,
    url: w.site.url(),
    peer: w.b.id('/ep').toString(),
    sequence: '2',
  });
  w.site.answer = answering('', 404);
  await w.refresh();
  const failure = w.reader.logger.records.findLast(({ message }) =>
    message.startsWith('Fetching a federated bundle failed'),
  );
  expect(failure?.fields).toMatchObject({ trust_domain: w.name, bundle_endpoint_url: w.site.url() });
});

it('[FED-52] makes no relationship of the other direction', async () => {
  await using other = await Domain.open('oneway.test', w.web);
  await w.overWeb();
  expect(await w.refresh()).toBe('fresh');
  expect((await other.bundles.listFederatedBundles({})).bundles).toEqual([]);
});

it('[FED-H1] takes only whole answers of a sane size and depth, and sends nothing of its own', async () => {
  let headers: unknown;
  await w.overWeb((request, response) => {
    headers = request.headers;
    response.setHeader('set-cookie', 'a=b').end('{"keys":[]}');
  });
  expect(await w.refresh()).toBe('fresh');
  expect(await w.refresh()).toBe('fresh');
  expect(headers).not.toHaveProperty('cookie');
  expect(headers).not.toHaveProperty('authorization');
  const wrong = [
    answering('{"keys":[]}', 201),
    answering(`{"keys":[]}${' '.repeat(MAX_BUNDLE_BYTES)}`),
    answering(`{"keys":${'['.repeat(2000)}${']'.repeat(2000)}}`),
    answering('{"keys":[]} x'),
  ];
  for (const answer of wrong) {
    w.site.answer = answer;
    expect(await w.refresh()).toContain('failed to refresh bundle');
  }
});
