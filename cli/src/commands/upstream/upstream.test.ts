import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { Code, GrpcError, serviceImplementation } from '@steeple/proto/grpc';
import { localauthorityV1 } from '@steeple/proto/server-api';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { main } from '../../main.ts';

let dir: string;
let server: grpc.Server;
let asked: string[];
let lines: string[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'st-'));
  [asked, lines] = [[], []];
  const answer = (verb: string) => async (request: { subjectKeyId: string }) => {
    asked.push(`${verb} ${request.subjectKeyId}`);
    if (request.subjectKeyId === 'ff') throw GrpcError.of(Code.INVALID_ARGUMENT, 'invalid subject key ID: no');
    return { upstreamAuthoritySubjectKeyId: request.subjectKeyId.toLowerCase() };
  };
  const handlers = {
    taintX509UpstreamAuthority: answer('taint'),
    revokeX509UpstreamAuthority: answer('revoke'),
  };
  const service = localauthorityV1.LocalAuthority as never;
  const { definition, implementation } = serviceImplementation(service, handlers as never);
  server = new grpc.Server();
  server.addService(definition, implementation);
  const address = `unix:${join(dir, 's.sock')}`;
  await new Promise<void>((done, failed) =>
    server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error) => (error ? failed(error) : done())),
  );
});
afterEach(async () => {
  server.forceShutdown();
  await rm(dir, { recursive: true, force: true });
});

const steeple = (...args: string[]): Promise<number> =>
  main([...args, '--socket', join(dir, 's.sock')], {
    env: {},
    signal: new AbortController().signal,
    colour: false,
    uid: 7,
    userName: 'someone',
    out: (text) => lines.push(text),
    err: (text) => lines.push(text),
    now: () => 1_000_000,
  });

it.each(['taint', 'revoke'])('%s names the root and says what became of it', async (verb) => {
  expect(await steeple('upstream', verb, 'AB01')).toBe(0);
  expect(await steeple('upstream', verb, 'AB01', '-o', 'json')).toBe(0);
  expect(asked).toEqual([`${verb} AB01`, `${verb} AB01`]);
  expect(lines).toEqual([
    `${verb === 'taint' ? 'tainted' : 'revoked'} ab01`,
    '{"upstream_authority_subject_key_id":"ab01"}',
  ]);
});

it('fails with the words of the server, and without a name asks for one', async () => {
  expect(await steeple('upstream', 'revoke', 'ff')).toBe(1);
  expect(lines.join()).toContain('invalid subject key ID: no (InvalidArgument)');
  expect(await steeple('upstream', 'taint')).toBe(1);
  expect(asked).toHaveLength(1);
});
