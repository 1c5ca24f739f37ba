import { rm, writeFile } from 'node:fs/promises';
import { checkValue, parseConfig } from '@steeple/daemon/config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attest } from '../channel-for-tests.ts';
import { k8sPsatVerifier } from '../k8s-psat.ts';
import { PsatProver } from './prover.ts';
import { PsatWorld } from './psat-world.fixture.ts';

let world: PsatWorld;
beforeAll(async () => {
  world = await PsatWorld.open();
});
afterAll(() => world[Symbol.asyncDispose]());

const fails = (config: unknown) =>
  world.configured(config).then(
    () => 'nothing',
    (error: Error) => error.message,
  );
const good = { service_account_allow_list: ['spire:spire-agent'] };

describe('the configuration of k8s_psat', () => {
  it('is read as SPIRE’s users write it', () => {
    const hcl = `
      clusters = {
        "one" = { service_account_allow_list = ["spire:spire-agent"], audience = ["a"], allowed_node_label_keys = ["zone"] }
        "two" = { service_account_allow_list = ["spire:spire-agent"] use_pod_uid_for_agent_id = "true" }
      }`;
    const { clusters } = checkValue(k8sPsatVerifier.schema, parseConfig(hcl, 'hcl').value);
    expect([...(clusters ?? [])]).toEqual([
      ['one', expect.objectContaining({ audience: ['a'], allowed_node_label_keys: ['zone'], pod_lookup: true })],
      ['two', expect.not.objectContaining({ audience: expect.anything() })],
    ]);
  });

  it.each<[string, object, string]>([
    ['nobody', { service_account_allow_list: [] }, 'clusters.c.0.service_account_allow_list: must have at least one'],
    ['half a name', { service_account_allow_list: ['agent'] }, 'must be "<namespace>:<service account>"'],
    ['a mistyped key', { ...good, audiences: ['x'] }, 'did you mean "audience"?'],
    ['k8s_sat’s key', { ...good, use_token_review_api_for_validation: true }, "SPIRE's k8s_sat"],
    ['keys for nothing', { ...good, jwks_file: '/f', issuer: 'i' }, 'needs token_validation = "jwks"'],
    ['keys without their issuer', { ...good, token_validation: 'jwks', jwks_file: '/f' }, 'belongs to jwks_file'],
    ['no audience', { ...good, token_validation: 'jwks', audience: [] }, 'must not be empty'],
    ['a review without a look', { ...good, pod_lookup: false }, 'pod_lookup: may be false only'],
    [
      'labels without a look',
      { ...good, token_validation: 'jwks', pod_lookup: false, allowed_pod_label_keys: ['a'] },
      'needs pod_lookup',
    ],
    [
      'an address without a look',
      { ...good, token_validation: 'jwks', pod_lookup: false, verify_client_ip: true },
      'needs pod_lookup',
    ],
  ])('is refused with %s', async (_name, settings, message) => {
    expect(await fails({ clusters: { c: settings } })).toContain(message);
  });

  it.each(['a/b', '..', '', 'ü'])('takes no cluster called %j', async (name) => {
    expect(await fails({ clusters: { [name]: good } })).toContain('the name of a cluster');
  });

  it('says that without clusters nobody can attest', async () => {
    await world.configured({});
    expect(world.logger.records).toContainEqual(expect.objectContaining({ level: 'warn' }));
  });

  it('follows its file while it runs', async () => {
    const file = world.path('clusters.hcl');
    const block = (name: string, more = '') =>
      `"${name}" = { service_account_allow_list = ["spire:spire-agent"], kube_config_file = "${world.path('kubeconfig')}" ${more} }`;
    const write = (...blocks: string[]) => writeFile(file, `clusters = { ${blocks.join('\n')} }`);
    await world.put('token', world.cluster.token());
    await write(block('one'));
    const verifier = await world.configured({ clusters_file: file, clusters: { fixed: good } });
    const prove = (name: string) => attest(new PsatProver({ cluster: name, tokenPath: world.path('token') }), verifier);
    await prove('one');
    await expect(prove('two')).rejects.toMatchObject({
      code: 'invalid-argument',
      message: 'not configured for cluster "two"',
    });

    await write(block('one', ', audience = ["other"]'), block('two'));
    await prove('two');
    await expect(prove('one')).rejects.toThrow('audience');

    // What is not good changes nothing, is said once, and names what is wrong.
    for (const bad of ['clusters = {', 'clusters = { "fixed" = { service_account_allow_list = ["a:b"] } }', 'x = 1']) {
      const before = world.logger.records.length;
      await writeFile(file, bad);
      await prove('two');
      await prove('two');
      expect(world.logger.records.slice(before).map(({ level }) => level)).toEqual(['error']);
    }
    await rm(file);
    await prove('two');
    await write();
    await expect(prove('two')).rejects.toThrow('not configured');
  });

  it('does not begin with a file that is missing or bad', async () => {
    expect(await fails({ clusters_file: world.path('nowhere') })).toMatch(/clusters_file: cannot be read: ENOENT/);
    await world.put('bad.yaml', 'clusters: {c: {audiences: [x]}}');
    expect(await fails({ clusters_file: world.path('bad.yaml') })).toContain('did you mean "audience"?');
  });
});
