// What `steeple apply` says about files that are wrong.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { entry, file, now, object, steeple } from './apply.fixture.ts';

it('says what is wrong with the files, all of it, and changes nothing', async () => {
  const folder = now.dir.join('folder');
  await mkdir(folder);
  await writeFile(`${folder}/1.yaml`, `${entry('a')}\n---\n${entry('a')}\n---\n${entry('b', { ttl: '1h' })}`);
  await writeFile(`${folder}/2.yml`, 'kind: [');
  await writeFile(`${folder}/3.json`, object('ClusterSPIFFEID', 'web', { spiffeIDTemplate: 'x' }));
  await writeFile(`${folder}/4.yaml`, 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}');
  await writeFile(`${folder}/read.me`, 'no object');
  expect(await steeple('apply', '-f', folder)).not.toBe(0);
  const told = now.err.join('\n');
  expect(told).toContain('1.yaml:3: ClusterStaticEntry a is there twice, the first time as a');
  expect(told).toContain('1.yaml:5: ClusterStaticEntry "b": spec.ttl is not known; remove it');
  expect(told).toContain('2.yml:1: ');
  expect(told).toContain('3.json:1: ClusterSPIFFEID web: only a cluster has the pods it speaks of');
  expect(told).toContain('nothing was changed');
  await rm(`${folder}/2.yml`);
  await rm(`${folder}/3.json`);
  await writeFile(`${folder}/1.yaml`, entry('a'));
  expect(await steeple('apply', '-f', folder)).toBe(0);
  expect(now.err.join('\n')).toContain('Deployment of apps/v1 was passed over');
  expect(await steeple('apply', '-f', await file(entry('a', { spiffeID: 'spiffe://other.test/a' })))).toBe(1);
  expect(now.out.join('\n')).toContain('not a member of trust domain');
  expect(await steeple('apply', '-f', now.dir.join('none'))).toBe(1);
  expect(await steeple('apply', '--set', 'a.b', '-f', folder)).toBe(1);
});
