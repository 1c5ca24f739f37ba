import { describe, expect, it } from 'vitest';
import { begin, HOUR, never, newStores } from '../testing/authorities.ts';

describe('an authority that agents have not had yet', () => {
  it('waits with a new authority until every live agent has had it, by hand and by the clock', async () => {
    const stores = await newStores();
    const { rotation, delivery, bundles } = await begin(stores);
    delivery.sent('spiffe://example.org/spire/agent/a', bundles.own().sequence);
    const { authorityId } = await rotation.prepare('x509');
    const activating = rotation.activate('x509', authorityId, never);
    await stores.clock.advance(5);
    expect(rotation.state('x509').prepared?.authorityId).toBe(authorityId);
    delivery.sent('spiffe://example.org/spire/agent/a', bundles.own().sequence);
    await stores.clock.advance(1);
    await activating;
    expect(rotation.state('x509').active?.authorityId).toBe(authorityId);

    await stores.clock.advance(12 * HOUR);
    const stop = delivery.listens('spiffe://example.org/spire/agent/deaf');
    await rotation.tick();
    await stores.clock.advance(8 * HOUR);
    await rotation.tick();
    expect(rotation.state('x509').active?.authorityId).toBe(authorityId);
    await stores.clock.advance(2 * HOUR);
    await rotation.tick();
    expect(rotation.state('x509').old?.authorityId).toBe(authorityId);
    stop();
  });

  it('waits for no dead agent, and for a deaf one not for ever', async () => {
    const stores = await newStores();
    const { rotation, delivery, logger } = await begin(stores);
    delivery.sent('spiffe://example.org/spire/agent/dead', 0n);
    await stores.clock.advance(31);
    await rotation.activate('jwt', (await rotation.prepare('jwt')).authorityId, never);
    delivery.listens('spiffe://example.org/spire/agent/deaf');
    const activating = rotation.activate('wit', (await rotation.prepare('wit')).authorityId, never);
    await stores.clock.during(activating);
    expect(logger.text).toContain('spire/agent/deaf');
  });

  it('activates nothing for a caller that left', async () => {
    const stores = await newStores();
    const { rotation, delivery } = await begin(stores);
    delivery.listens('spiffe://example.org/spire/agent/deaf');
    const { authorityId } = await rotation.prepare('x509');
    const gone = new AbortController();
    const activating = rotation.activate('x509', authorityId, gone.signal);
    const failed = expect(activating).rejects.toThrow();
    await stores.clock.advance(1);
    gone.abort();
    await failed;
    expect(rotation.state('x509').prepared?.authorityId).toBe(authorityId);
  });
});
