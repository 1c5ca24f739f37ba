import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseCertificatesPem } from '@steeple/spiffe';
import { tempDir } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { HEADER, Home, until } from './home.ts';

it('SVIDs for a store go there and nowhere else, are renewed, and go with their entries, also while the agent is down', async () => {
  await using dir = await tempDir();
  const blocks = { plugins: { SVIDStore: { disk: { plugin_data: { directory: dir.path } } } } };
  await using home = await Home.open({ blocks });
  const stored = { selectors: [{ type: 'disk', value: 'name:web' }], more: { storeSvid: true } };
  const id = await home.addEntry({ path: '/web', ...stored });
  const served = () => readFile(join(dir.path, 'web', 'svid.pem'), 'utf8').catch(() => '');
  await until(async () => (await served()) !== '');
  const first = await served();
  expect(parseCertificatesPem(first)[0]?.uriSans).toEqual([home.id('/web')]);
  await expect(home.workload.fetchJWTSVID({ audience: ['x'] }, { metadata: HEADER })).rejects.toThrow(
    'no identity issued',
  );

  // A change of the entry makes a new certificate.
  const { results } = await home.admin.entry.batchUpdateEntry({
    entries: [{ id, dnsNames: ['web.test'] }],
    inputMask: { dnsNames: true },
  });
  expect(results[0]?.status?.code).toBe(0);
  await until(async () => (await served()) !== first);
  expect(parseCertificatesPem(await served())[0]?.dnsSans).toEqual(['web.test']);

  await home.agent.stop();
  await home.removeEntry(id);
  expect(await served()).not.toBe('');
  await home.startAgent();
  await until(async () => (await readdir(dir.path)).length === 0);
});
