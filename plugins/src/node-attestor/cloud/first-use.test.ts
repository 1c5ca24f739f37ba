import { silentLogger } from '@steeple/daemon';
import { afterAll, expect, it } from 'vitest';
import { anAgent } from '../../datastore/contract-samples.ts';
import { IN_MEMORY } from '../../datastore/sqlite/open.ts';
import { SqliteDatastore } from '../../datastore/sqlite/sqlite-datastore.ts';
import { documentOf, INSTANCE, listenAsAws, payloadOf, rsa2048Of, SIGNER } from '../aws-iid/aws-for-tests.ts';
import { awsIidVerifier } from '../aws-iid.ts';
import { listenAsResourceManager, MACHINE, tokenOf } from '../azure-msi/msi-for-tests.ts';
import { azureMsiVerifier } from '../azure-msi.ts';
import { ChannelPair } from '../channel-for-tests.ts';
import { TestPlace } from './place-for-tests.ts';

const place = new TestPlace();
afterAll(() => place[Symbol.dispose]());
const { signal } = new AbortController();
const { agents } = SqliteDatastore.open(IN_MEMORY, silentLogger);
const host = { ...place.host, agents };
const used = {
  code: 'permission-denied',
  message: 'attestation data has already been used to attest an agent',
};

it('an EC2 instance that has an agent costs AWS nothing, until the agent is evicted', async () => {
  await using api = await listenAsAws();
  const verifier = await awsIidVerifier.create(
    awsIidVerifier.schema.parse({
      access_key_id: 'AKID',
      secret_access_key: 'secret',
      endpoint_url: api.address,
      signing_certificates: { [INSTANCE.region]: place.certificateFile(SIGNER.certificate) },
    }),
    host,
  );
  const payload = payloadOf({ document: documentOf(), rsa2048: rsa2048Of(documentOf()) });
  const verify = () => verifier.verify(payload, new ChannelPair().server, signal);
  const { agentId } = await verify();
  await agents.save(anAgent('a', { id: agentId }));
  const before = api.requests.length;
  await expect(verify()).rejects.toMatchObject(used);
  expect(api.requests).toHaveLength(before);
  await agents.delete(agentId);
  await verify();
});

it('an Azure identity that has an agent costs Azure nothing but its keys', async () => {
  await using api = await listenAsResourceManager();
  const tenant = { subscription_id: MACHINE.subscriptionId, app_id: 'app', app_secret: 'hush' };
  const config = {
    tenants: { [MACHINE.tenantId]: tenant },
    login_endpoint: api.address,
    management_endpoint: api.address,
  };
  const verifier = await azureMsiVerifier.create(azureMsiVerifier.schema.parse(config), host);
  const payload = Buffer.from(JSON.stringify({ token: tokenOf() }));
  const verify = () => verifier.verify(payload, new ChannelPair().server, signal);
  const { agentId } = await verify();
  await agents.save(anAgent('b', { id: agentId }));
  const before = api.requests.length;
  await expect(verify()).rejects.toMatchObject(used);
  expect(api.requests).toHaveLength(before);
});
