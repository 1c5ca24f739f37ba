// `api fetch jwt` and `api validate jwt`.

import { create } from '@bufbuild/protobuf';
import { StructSchema } from '@bufbuild/protobuf/wkt';
import { Code, GrpcError } from '@steeple/proto/grpc';
import {
  JWTBundlesResponseSchema,
  JWTSVIDResponseSchema,
  ValidateJWTSVIDResponseSchema,
} from '@steeple/proto/workload';
import { protoJson } from '../call.ts';
import type { CallCommand } from '../command.ts';
import { CommandError, errorText } from '../command-error.ts';
import { commaListFlag, outputFlag as outputKind, stringFlag } from '../go/flag-kind.ts';
import { goJson } from '../go/json.ts';
import { isUnreachable } from '../go-client.ts';
import { outputFlag } from '../output-flag.ts';
import { first, workloadApi, workloadOptions } from './workload.ts';

export const fetchJwt: CallCommand = {
  path: 'api fetch jwt',
  title: 'fetch jwt',
  synopsis: 'Fetches a JWT SVID from the Workload API',
  on: 'workload',
  flags: [
    { name: 'audience', kind: commaListFlag, usage: 'comma separated list of audience values' },
    { name: 'spiffeID', kind: stringFlag, usage: 'SPIFFE ID subject (optional)' },
    outputFlag,
    { name: 'format', kind: outputKind, usage: 'deprecated; use -output', sets: 'output' },
  ],
  run: async (call) => {
    const audience = call.flags.list('audience');
    if (audience.length === 0) throw new CommandError('audience must be specified');
    const client = workloadApi(call);
    const bundles = await first(client.fetchJWTBundles({}, workloadOptions(call))).catch((cause: unknown) => {
      if (!isUnreachable(cause)) throw cause;
      throw new CommandError(`failed to receive JWT bundles: ${errorText(cause)}`, { cause });
    });
    const request = { audience, spiffeId: call.flags.text('spiffeID') };
    const answer = await client.fetchJWTSVID(request, workloadOptions(call));
    if (call.flags.output === 'json') {
      const both = [protoJson(JWTSVIDResponseSchema, answer), protoJson(JWTBundlesResponseSchema, bundles)];
      return call.io.out(`${goJson(both)}\n`);
    }
    for (const { spiffeId, svid, hint } of answer.svids) {
      call.line(`token(${spiffeId}):\n\t${svid}`);
      if (hint !== '') call.line(`hint(${spiffeId}):\n\t${hint}`);
    }
    for (const [domain, document] of Object.entries(bundles.bundles)) {
      call.line(`bundle(${domain}):\n\t${Buffer.from(document).toString('utf8')}`);
    }
  },
};

export const validateJwt: CallCommand = {
  path: 'api validate jwt',
  title: 'validate jwt',
  synopsis: 'Validates a JWT SVID',
  on: 'workload',
  flags: [
    { name: 'audience', kind: stringFlag, usage: 'expected audience value' },
    { name: 'svid', kind: stringFlag, usage: 'JWT SVID' },
    outputFlag,
  ],
  run: async (call) => {
    const [audience, svid] = [call.flags.text('audience'), call.flags.text('svid')];
    if (audience === '') throw new CommandError('audience must be specified');
    if (svid === '') throw new CommandError('svid must be specified');
    const answer = await workloadApi(call)
      .validateJWTSVID({ audience, svid }, workloadOptions(call))
      .catch((cause: unknown) => {
        const refused = cause instanceof GrpcError && cause.code === Code.INVALID_ARGUMENT;
        const text = refused
          ? `SVID is not valid: ${cause.message}`
          : `unable to validate JWT SVID: ${errorText(cause)}`;
        throw new CommandError(text, { cause });
      });
    await call.answer(ValidateJWTSVIDResponseSchema, answer, () => {
      const claims = create(StructSchema);
      call.line('SVID is valid.');
      call.line(`SPIFFE ID : ${answer.spiffeId}`);
      call.line(`Claims    : ${goJson(answer.claims ?? protoJson(StructSchema, claims))}`);
    });
  },
};
