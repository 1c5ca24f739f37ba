// Tokens made to exhaust whoever reads them, at ValidateJWTSVID: refused by size and depth, and the agent goes on.
import { Code } from '@steeple/proto/grpc';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HEADER, Home, until } from './home.ts';

let home: Home;
beforeAll(async () => {
  home = await Home.open();
  await home.addEntry({ path: '/x' });
  const options = { metadata: HEADER };
  await until(() =>
    home.workload.fetchJWTSVID({ audience: ['y'] }, options).then(
      () => true,
      () => false,
    ),
  );
});
afterAll(() => home[Symbol.asyncDispose]());

const part = (json: string): string => Buffer.from(json).toString('base64url');
const lists = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const objects = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const header = (more: string): string => part(`{"alg":"ES256","kid":"x","typ":"JWT"${more}}`);
const claims = (more: string): string => part(`{"sub":"spiffe://home.test/x","aud":"y","exp":4102444800${more}}`);

it.each([
  ['a header of many lists', `${header(`,"x":${lists(400_000)}`)}.${claims('')}.${part('s')}`],
  ['a header of many objects', `${header(`,"x":${objects(200_000)}`)}.${claims('')}.${part('s')}`],
  ['claims of many lists', `${header('')}.${claims(`,"x":${lists(400_000)}`)}.${part('s')}`],
  ['claims of many objects', `${header('')}.${claims(`,"x":${objects(200_000)}`)}.${part('s')}`],
  ['lists that never end', `${part('['.repeat(1_000_000))}.${claims('')}.${part('s')}`],
  ['many small claims', `${header('')}.${claims(`,"x":[${'1,'.repeat(500_000)}1]`)}.${part('s')}`],
  ['a million dots', '.'.repeat(1_000_000)],
  ['a million letters', 'a'.repeat(3_000_000)],
])('%s', async (_what, svid) => {
  const judged = home.workload.validateJWTSVID({ svid, audience: 'y' }, { metadata: HEADER });
  await expect(judged).rejects.toMatchObject({ code: Code.INVALID_ARGUMENT });
  const { svids } = await home.workload.fetchJWTSVID({ audience: ['y'] }, { metadata: HEADER });
  expect(svids).toHaveLength(1);
});

it('deep claims below a good signature are not even looked at before it', async () => {
  const { svids } = await home.workload.fetchJWTSVID({ audience: ['y'] }, { metadata: HEADER });
  const [head, , signature] = (svids[0]?.svid ?? '').split('.');
  const judged = home.workload.validateJWTSVID(
    { svid: `${head}.${claims(`,"x":${lists(100)}`)}.${signature}`, audience: 'y' },
    { metadata: HEADER },
  );
  await expect(judged).rejects.toMatchObject({ code: Code.INVALID_ARGUMENT });
});
