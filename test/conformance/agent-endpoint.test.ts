// The Workload Endpoint in its default configuration, as a caller without identity meets it.
import { statSync } from 'node:fs';
import { fromBinary } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { credentials, Metadata } from '@grpc/grpc-js';
import { type CallOptions, Code, createClient } from '@steeple/proto/grpc';
import { reflectionV1, reflectionV1alpha } from '@steeple/proto/infra';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { expect, it } from 'vitest';
import { HEADER, stackWorld, statusOf } from './stack-world.ts';

const world = stackWorld();

const METHODS = {
  FetchX509SVID: (options: CallOptions) => world.workload.fetchX509SVID({}, options),
  FetchX509Bundles: (options: CallOptions) => world.workload.fetchX509Bundles({}, options),
  FetchJWTSVID: (options: CallOptions) => world.workload.fetchJWTSVID({ audience: ['y'] }, options),
  FetchJWTBundles: (options: CallOptions) => world.workload.fetchJWTBundles({}, options),
  ValidateJWTSVID: (options: CallOptions) => world.workload.validateJWTSVID({ audience: 'y', svid: 't' }, options),
  FetchWITSVID: (options: CallOptions) => world.workload.fetchWITSVID({}, options),
  FetchWITBundles: (options: CallOptions) => world.workload.fetchWITBundles({}, options),
} as const;
type Method = keyof typeof METHODS;
const methods = Object.keys(METHODS) as Method[];

function metadata(...pairs: readonly (readonly [string, string | Buffer])[]): CallOptions {
  const made = new Metadata();
  for (const [key, value] of pairs) made.add(key, value);
  return { metadata: made, deadline: 20 };
}
const header = 'workload.spiffe.io';

it('[WEP-01] [WEP-04] is a unix socket by default', () => {
  expect(statSync(world.stack.workloadSocket).isSocket()).toBe(true);
});

it('[WEP-03] [WEP-08] [WEP-14] [WEP-21] answers plain gRPC without TLS and without client authentication', async () => {
  // Nobody is entitled to anything here, so that the verdict itself is the answer.
  expect(await statusOf(METHODS.FetchX509SVID(HEADER))).toBe(Code.PERMISSION_DENIED);
});

it.each(methods)('[WEP-07] refuses %s without exactly the header', async (method) => {
  const wrong = [
    metadata(),
    ...['True', 'TRUE', '1', '', 'true,true'].map((value) => metadata([header, value])),
    metadata([header, 'true'], [header, 'true']),
    metadata([header, 'true'], [header, 'false']),
    metadata([`${header}-bin`, Buffer.from('true')]),
  ];
  const codes = await Promise.all(wrong.map((options) => statusOf(METHODS[method](options))));
  expect(codes).toEqual(wrong.map(() => Code.INVALID_ARGUMENT));
});

it.each(['FetchX509SVID', 'FetchJWTSVID', 'FetchX509Bundles', 'FetchJWTBundles'] as const)(
  '[WEP-19] [WAPI-26] [WAPI-30] [WAPI-39] [WAPI-44] answers PermissionDenied to a caller without identity: %s',
  async (method) => {
    expect(await statusOf(METHODS[method](HEADER))).toBe(Code.PERMISSION_DENIED);
  },
);

it('[WAPI-51] [WAPI-03] [WIT-H2] answers Unimplemented for the WIT profile unless it is switched on, to strangers too', async () => {
  expect(await statusOf(METHODS.FetchWITSVID(HEADER))).toBe(Code.UNIMPLEMENTED);
  expect(await statusOf(METHODS.FetchWITBundles(HEADER))).toBe(Code.UNIMPLEMENTED);
});

it('[WEP-24] answers Unimplemented to unknown methods', async () => {
  const method = { ...SpiffeWorkloadAPI.method.fetchX509Bundles, name: 'FetchEverything' };
  const other = { ...SpiffeWorkloadAPI, methods: [method], method: { fetchX509Bundles: method } };
  const client = createClient(other as unknown as typeof SpiffeWorkloadAPI, {
    address: `unix:${world.stack.workloadSocket}`,
    credentials: credentials.createInsecure(),
  });
  expect(await statusOf(client.fetchX509Bundles({}, HEADER))).toBe(Code.UNIMPLEMENTED);
  client.close();
});

const reflections = { v1: reflectionV1.ServerReflection, v1alpha: reflectionV1alpha.ServerReflection } as const;

async function ask(
  version: keyof typeof reflections,
  request: { case: 'listServices' | 'fileContainingSymbol'; value: string },
) {
  const client = createClient(reflections[version] as typeof reflectionV1.ServerReflection, {
    address: `unix:${world.stack.workloadSocket}`,
    credentials: credentials.createInsecure(),
  });
  const requests = (async function* () {
    yield { messageRequest: request };
  })();
  try {
    for await (const { messageResponse } of client.serverReflectionInfo(requests, HEADER)) return messageResponse;
    throw new Error('reflection did not answer');
  } finally {
    client.close();
  }
}

it.each(['v1', 'v1alpha'] as const)('[WEP-22] lists the Workload API by reflection %s', async (version) => {
  const answer = await ask(version, { case: 'listServices', value: '' });
  const names = answer.case === 'listServicesResponse' ? answer.value.service.map(({ name }) => name) : [];
  expect(names).toContain('SpiffeWorkloadAPI');
});

it('[WEP-20] [WAPI-04] serves the standard’s API with nothing added', async () => {
  const answer = await ask('v1', { case: 'fileContainingSymbol', value: 'SpiffeWorkloadAPI' });
  if (answer.case !== 'fileDescriptorResponse') throw new Error(`no descriptor: ${answer.case}`);
  const files = answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
  const file = files.find(({ service }) => service.some(({ name }) => name === 'SpiffeWorkloadAPI'));
  if (file === undefined) throw new Error('no file has the service');
  expect(file.package).toBe('');
  expect(file.service[0]?.method.map(({ name }) => name).sort()).toEqual([...methods].sort());
  expect(fieldsOf(file)).toEqual(STANDARD_FIELDS);
});

function fieldsOf(file: FileDescriptorProto): Record<string, string> {
  const pairs = file.messageType.map(({ name, field }) => [
    name,
    field.map((one) => `${one.number} ${one.name}`).join(', '),
  ]);
  return Object.fromEntries(pairs) as Record<string, string>;
}

/** As section 2.2 of our reading of the standard has them. */
const STANDARD_FIELDS: Record<string, string> = {
  X509SVIDRequest: '',
  X509SVIDResponse: '1 svids, 2 crl, 3 federated_bundles',
  X509SVID: '1 spiffe_id, 2 x509_svid, 3 x509_svid_key, 4 bundle, 5 hint',
  X509BundlesRequest: '',
  X509BundlesResponse: '1 crl, 2 bundles',
  JWTSVIDRequest: '1 audience, 2 spiffe_id',
  JWTSVIDResponse: '1 svids',
  JWTSVID: '1 spiffe_id, 2 svid, 3 hint',
  JWTBundlesRequest: '',
  JWTBundlesResponse: '1 bundles',
  ValidateJWTSVIDRequest: '1 audience, 2 svid',
  ValidateJWTSVIDResponse: '1 spiffe_id, 2 claims',
  WITSVIDRequest: '1 spiffe_id',
  WITSVIDResponse: '1 svids',
  WITSVID: '1 spiffe_id, 2 wit_svid, 3 wit_svid_key, 4 hint',
  WITBundlesRequest: '',
  WITBundlesResponse: '1 bundles',
};
