import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAgent } from '@steeple/agent';
import { describe, expect, it } from 'vitest';
import { Home, until } from './home.ts';

describe('the first contact', () => {
  it('trusts the root with the pinned fingerprint, and no other', async () => {
    await using home = await Home.open();
    const [root] = (await home.admin.bundle.getBundle({})).x509Authorities;
    const pin = createHash('sha256')
      .update(root?.asn1 ?? new Uint8Array())
      .digest('hex');
    const place = { insecure_bootstrap: false, socket_path: join(home.dir, 'pinned', 'api.sock') };
    const good = createAgent(
      home.agentConfig(await home.joinToken(), {
        ...place,
        data_dir: join(home.dir, 'p1'),
        trust_bundle_pin: `SHA256:${pin}`,
      }),
      { logger: home.log },
    );
    await good.start();
    await good.stop();
    const bad = createAgent(
      home.agentConfig(await home.joinToken(), {
        ...place,
        data_dir: join(home.dir, 'p2'),
        trust_bundle_pin: 'ab'.repeat(32),
      }),
      { logger: home.log },
    );
    await expect(bad.start()).rejects.toThrow(/trust_bundle_pin.*fingerprint/);
  });

  it('never attests to a server that the configured bundle does not vouch for', async () => {
    await using home = await Home.open();
    await using other = await Home.open({ trustDomain: 'home.test' });
    const { x509Authorities } = await other.admin.bundle.getBundle({});
    const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(x509Authorities[0]?.asn1 ?? []).toString('base64')}\n-----END CERTIFICATE-----\n`;
    const path = join(home.dir, 'wrong.pem');
    await writeFile(path, pem);
    const token = await home.joinToken();
    const agent = createAgent(
      home.agentConfig(token, {
        insecure_bootstrap: false,
        trust_bundle_path: path,
        socket_path: join(home.dir, 'wrong', 'api.sock'),
        data_dir: join(home.dir, 'wrong'),
      }),
      { logger: home.log },
    );
    const started = agent.start();
    await until(() => home.log.messages('warn').includes('Could not attest'));
    await agent.stop();
    await started;
    // The token was not shown to the impostor: it still works.
    await home.agent.stop();
    await home.startAgent(token);
    expect(home.log.text).not.toContain(`"${token}"`);
  });
});
