import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { healthV1, reflectionV1, reflectionV1alpha } from '../infra.ts';
import { entryV1 } from '../server-api.ts';
import { SpiffeWorkloadAPI } from '../workload.ts';
import {
  Code,
  createClient,
  GrpcError,
  HealthState,
  healthHandlers,
  reflectionHandlers,
  serviceImplementation,
} from './index.ts';

const { ServingStatus } = { ServingStatus: healthV1.HealthCheckResponse_ServingStatus };
const health = new HealthState({ '': true, sub: false });
const dir = mkdtempSync(join(tmpdir(), 'steeple-infra-'));
const settings = { address: `unix:${join(dir, 's')}`, credentials: grpc.credentials.createInsecure() };
const server = new grpc.Server({ 'grpc.enable_channelz': 0 });

beforeAll(async () => {
  const reflection = reflectionHandlers([SpiffeWorkloadAPI, entryV1.Entry]);
  for (const { definition, implementation } of [
    serviceImplementation(healthV1.Health, healthHandlers(health)),
    serviceImplementation(reflectionV1.ServerReflection, reflection.v1),
    serviceImplementation(reflectionV1alpha.ServerReflection, reflection.v1alpha),
  ]) {
    server.addService(definition, implementation);
  }
  await new Promise((resolve) => server.bindAsync(settings.address, grpc.ServerCredentials.createInsecure(), resolve));
});
afterAll(() => {
  server.forceShutdown();
  rmSync(dir, { recursive: true, force: true });
});

describe.each([
  ['v1', reflectionV1.ServerReflection],
  ['v1alpha', reflectionV1alpha.ServerReflection],
] as const)('reflection %s', (_version, service) => {
  type Ask = NonNullable<reflectionV1.ServerReflectionRequest['messageRequest']>;
  async function ask(messageRequest: Ask) {
    const client = createClient(service as typeof reflectionV1.ServerReflection, settings);
    async function* requests() {
      yield { host: 'h', messageRequest } as { host: string; messageRequest: { case: 'listServices'; value: string } };
    }
    try {
      for await (const response of client.serverReflectionInfo(requests())) return response;
      throw new Error('no answer');
    } finally {
      client.close();
    }
  }
  const fileNames = (response: reflectionV1.ServerReflectionResponse): string[] =>
    response.messageResponse.case === 'fileDescriptorResponse'
      ? response.messageResponse.value.fileDescriptorProto.map((b) => fromBinary(FileDescriptorProtoSchema, b).name)
      : [];
  const errorCode = (response: reflectionV1.ServerReflectionResponse): number | undefined =>
    response.messageResponse.case === 'errorResponse' ? response.messageResponse.value.errorCode : undefined;

  it('lists the services and itself', async () => {
    const response = await ask({ case: 'listServices', value: '' });
    expect(response.messageResponse).toMatchObject({
      case: 'listServicesResponse',
      value: {
        service: [
          'SpiffeWorkloadAPI',
          'grpc.reflection.v1.ServerReflection',
          'grpc.reflection.v1alpha.ServerReflection',
          'spire.api.server.entry.v1.Entry',
        ].map((name) => ({ name })),
      },
    });
    expect(response.originalRequest).toMatchObject({ host: 'h', messageRequest: { case: 'listServices' } });
    expect(response.validHost).toBe('h');
  });

  it.each(['SpiffeWorkloadAPI', 'SpiffeWorkloadAPI.FetchX509SVID', 'X509SVID'])(
    'finds the file of %s and its imports',
    async (value) => {
      expect(fileNames(await ask({ case: 'fileContainingSymbol', value }))).toEqual([
        'workloadapi.proto',
        'google/protobuf/struct.proto',
      ]);
    },
  );

  it('finds nested symbols, and files by name', async () => {
    const value = 'spire.api.types.SelectorMatch.MatchBehavior';
    expect(fileNames(await ask({ case: 'fileContainingSymbol', value }))[0]).toBe('spire/api/types/selector.proto');
    const byName = await ask({ case: 'fileByFilename', value: 'spire/api/types/entry.proto' });
    expect(fileNames(byName)[0]).toBe('spire/api/types/entry.proto');
  });

  it('says what it cannot find', async () => {
    expect(errorCode(await ask({ case: 'fileContainingSymbol', value: '__proto__' }))).toBe(Code.NOT_FOUND);
    expect(errorCode(await ask({ case: 'fileByFilename', value: '../x' }))).toBe(Code.NOT_FOUND);
    expect(errorCode(await ask({ case: 'allExtensionNumbersOfType', value: 'no' }))).toBe(Code.NOT_FOUND);
    expect(errorCode(await ask({ case: undefined } as Ask))).toBe(Code.INVALID_ARGUMENT);
  });
});

describe('health', () => {
  it('answers Check and List, and NOT_FOUND for what it does not know', async () => {
    const client = createClient(healthV1.Health, settings);
    expect((await client.check({})).status).toBe(ServingStatus.SERVING);
    expect((await client.check({ service: 'sub' })).status).toBe(ServingStatus.NOT_SERVING);
    const error = await client.check({ service: 'toString' }).catch((reason: unknown) => reason);
    expect((error as GrpcError).code).toBe(Code.NOT_FOUND);
    expect(Object.keys((await client.list({})).statuses)).toEqual(['', 'sub']);
    client.close();
  });

  it('watches changes, each once', async () => {
    const client = createClient(healthV1.Health, settings);
    const seen: number[] = [];
    for await (const { status } of client.watch({ service: 'sub' })) {
      seen.push(status);
      if (seen.length === 1) {
        health.set('', false);
        health.set('sub', true);
      }
      if (seen.length === 2) break;
    }
    expect(seen).toEqual([ServingStatus.NOT_SERVING, ServingStatus.SERVING]);
    client.close();
  });

  it('offers Check alone over a function', async () => {
    const { check, watch } = healthHandlers((service) => (service === '' ? true : undefined));
    expect(check).toBeDefined();
    const context = {} as Parameters<NonNullable<typeof watch>>[1];
    const iterator = watch?.({ service: '' } as healthV1.HealthCheckRequest, context)[Symbol.asyncIterator]();
    await expect(iterator?.next()).rejects.toBeInstanceOf(GrpcError);
  });
});
