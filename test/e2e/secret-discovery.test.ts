import { create, fromBinary } from '@bufbuild/protobuf';
import { AnySchema, anyUnpack } from '@bufbuild/protobuf/wkt';
import { credentials } from '@grpc/grpc-js';
import {
  type DiscoveryRequest,
  type DiscoveryResponse,
  type Secret,
  SecretDiscoveryService,
  SecretSchema,
  SPIFFECertValidatorConfigSchema,
} from '@steeple/proto/envoy';
import { Code, createClient, type GrpcError } from '@steeple/proto/grpc';
import { parseCertificatesPem } from '@steeple/spiffe';
import { expect, it } from 'vitest';
import { Home } from './home.ts';

type Ask = Partial<Pick<DiscoveryRequest, 'resourceNames' | 'versionInfo' | 'responseNonce'>> & { node?: object };

/** A proxy's end of a stream: what is sent goes out at once, what comes is read one by one. */
class Proxy implements Disposable {
  readonly #abort = new AbortController();
  readonly #answers: AsyncIterator<DiscoveryResponse>;
  readonly #waiting: Ask[] = [];
  #wake = () => {};
  readonly client;

  constructor(home: Home) {
    this.client = createClient(SecretDiscoveryService, {
      address: `unix:${home.socket}`,
      credentials: credentials.createInsecure(),
      options: { 'grpc.use_local_subchannel_pool': 1 },
    });
    this.#answers = this.client.streamSecrets(this.#requests(), { signal: this.#abort.signal })[Symbol.asyncIterator]();
  }

  send(ask: Ask): void {
    this.#waiting.push(ask);
    this.#wake();
  }

  async next(): Promise<DiscoveryResponse> {
    const { done, value } = await this.#answers.next();
    if (done === true) throw new Error('the stream ended with OK');
    return value;
  }

  async ask(ask: Ask): Promise<DiscoveryResponse> {
    this.send(ask);
    return await this.next();
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
    this.#wake();
    this.client.close();
  }

  async *#requests() {
    while (!this.#abort.signal.aborted) {
      const ask = this.#waiting.shift();
      if (ask !== undefined) yield { typeUrl: 'some.type/Secret', ...ask };
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

const secrets = ({ resources }: DiscoveryResponse): Secret[] =>
  resources.map((any) => {
    expect(any.typeUrl).toBe('type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret');
    return fromBinary(SecretSchema, any.value);
  });
const names = (response: DiscoveryResponse) => secrets(response).map(({ name }) => name);

/** Trust domains of a validator, or the number of plain roots. */
function trusted(secret: Secret | undefined): string[] | number {
  if (secret?.type.case !== 'validationContext') throw new Error('no validation context');
  const { trustedCa, customValidatorConfig } = secret.type.value;
  if (trustedCa?.specifier.case === 'inlineBytes') {
    return parseCertificatesPem(Buffer.from(trustedCa.specifier.value).toString()).length;
  }
  expect(customValidatorConfig?.name).toBe('envoy.tls.cert_validator.spiffe');
  const config = anyUnpack(customValidatorConfig?.typedConfig ?? create(AnySchema), SPIFFECertValidatorConfigSchema);
  return config?.trustDomains.map(({ name }) => name) ?? 0;
}

it('serves certificates and bundles by their names, and again at each change, without a header', async () => {
  await using home = await Home.open();
  const web = await home.addEntry({ path: '/web', id: 'a-web' });
  await home.ready();
  using proxy = new Proxy(home);
  const first = await proxy.ask({ resourceNames: [] });
  expect(first).toMatchObject({ versionInfo: '1', typeUrl: 'some.type/Secret' });
  expect(first.nonce).toMatch(/^[0-9a-f]{8}$/);
  expect(names(first)).toEqual(['spiffe://home.test', home.id('/web')]);
  expect(trusted(secrets(first)[0])).toEqual(['home.test']);

  const ack = { versionInfo: first.versionInfo, responseNonce: first.nonce };
  const named = await proxy.ask({ ...ack, resourceNames: ['default', 'ROOTCA'] });
  expect(names(named)).toEqual(['ROOTCA', 'default']);
  expect(named.versionInfo).toBe('1');
  expect(named.nonce).not.toBe(first.nonce);
  const [, certificate] = secrets(named);
  if (certificate?.type.case !== 'tlsCertificate') throw new Error('no certificate');
  const chain = certificate.type.value.certificateChain?.specifier;
  expect(parseCertificatesPem(Buffer.from(chain?.value ?? '').toString())[0]?.uriSans).toEqual([home.id('/web')]);
  expect(Buffer.from(certificate.type.value.privateKey?.specifier.value ?? '').toString()).toContain('PRIVATE KEY');

  // Acknowledged, answered late, and rejected: nothing is sent again before something changes.
  proxy.send({ versionInfo: '1', responseNonce: named.nonce, resourceNames: ['ROOTCA', 'default'] });
  proxy.send({ versionInfo: '1', responseNonce: 'ffffffff', resourceNames: ['ALL'] });
  proxy.send({ versionInfo: '', responseNonce: named.nonce, resourceNames: ['ROOTCA', 'default'] });
  await home.addEntry({ path: '/more', id: 'b-more' });
  const pushed = await proxy.next();
  expect(names(pushed)).toEqual(['ROOTCA', 'default']);
  expect(Number(pushed.versionInfo)).toBeGreaterThan(1);

  proxy.send({ versionInfo: pushed.versionInfo, responseNonce: pushed.nonce, resourceNames: [home.id('/web')] });
  expect(names(await proxy.next())).toEqual([home.id('/web')]);
  await home.removeEntry(web);
  await expect(proxy.next()).rejects.toMatchObject({
    code: Code.INVALID_ARGUMENT,
    message: `workload is not authorized for the requested identities ["${home.id('/web')}"]`,
  });
});

it('answers single questions, and knows which proxies verify by trust domain', async () => {
  await using home = await Home.open({ agent: { sds: { default_svid_name: 'me' } } });
  await home.ready();
  using proxy = new Proxy(home);
  const fetch = (resourceNames: string[], node?: object) =>
    proxy.client.fetchSecrets({ resourceNames, ...(node && { node }) });
  const version = (minorNumber: number) => ({
    userAgentVersionType: {
      case: 'userAgentBuildVersion' as const,
      value: { version: { majorNumber: 1, minorNumber } },
    },
  });

  // Bundles need no identity.
  const all = await fetch([]);
  expect([all.versionInfo, all.nonce, names(all)]).toEqual(['', '', ['spiffe://home.test']]);
  expect(names(await fetch(['', 'spiffe://home.test']))).toEqual(['spiffe://home.test']);
  await expect(fetch(['me', 'b', 'a'])).rejects.toMatchObject({
    code: Code.INVALID_ARGUMENT,
    message: 'workload is not authorized for the requested identities ["a" "b" "me"]',
  });

  expect(trusted(secrets(await fetch(['ALL']))[0])).toEqual(['home.test']);
  expect(trusted(secrets(await fetch(['ROOTCA'], version(18)))[0])).toEqual(['home.test']);
  expect(trusted(secrets(await fetch(['ROOTCA'], version(17)))[0])).toBe(1);
  expect(trusted(secrets(await fetch(['ROOTCA'], { metadata: { disable_spiffe_cert_validation: 'true' } }))[0])).toBe(
    1,
  );
  expect(trusted(secrets(await fetch(['ROOTCA'], { metadata: { disable_spiffe_cert_validation: 7 } }))[0])).toEqual([
    'home.test',
  ]);
  await expect(fetch(['ALL'], version(17))).rejects.toMatchObject({ code: Code.INTERNAL });
  // One of the three names for bundles is answered, the others are unknown.
  await expect(fetch(['ALL', 'ROOTCA'])).rejects.toThrow('["ALL"]');

  await home.addEntry({ path: '/web' });
  for (;;) {
    const answer = await fetch(['me']).catch((error: GrpcError) => error);
    if ('code' in answer) continue;
    expect(names(answer)).toEqual(['me']);
    break;
  }
  await expect(fetch(['me', home.id('/web')])).rejects.toThrow('["me"]');
  await expect(fetch(['default'])).rejects.toThrow('["default"]');
});

it('is not there when it is switched off, and can be there alone', async () => {
  await using without = await Home.open({ agent: { disable_sds_api: true } });
  using proxy = new Proxy(without);
  await expect(proxy.client.fetchSecrets({})).rejects.toMatchObject({ code: Code.UNIMPLEMENTED });
  await using alone = await Home.open({ agent: { disable_workload_api: true } });
  await alone.ready();
  using other = new Proxy(alone);
  expect(names(await other.client.fetchSecrets({}))).toEqual(['spiffe://home.test']);
  await expect(
    alone.workload.validateJWTSVID({ audience: 'a', svid: 'b' }, { metadata: { 'workload.spiffe.io': 'true' } }),
  ).rejects.toMatchObject({ code: Code.UNIMPLEMENTED });
});
