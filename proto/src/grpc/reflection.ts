import { create, type DescService, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import * as v1 from '../gen/grpc/reflection/v1/reflection_pb.ts';
import * as v1alpha from '../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { Code } from './code.ts';
import type { Handlers } from './handlers.ts';
import { indexFiles } from './reflection-index.ts';

type Answer = NonNullable<MessageInitShape<typeof v1.ServerReflectionResponseSchema>['messageResponse']>;

/** Handlers of both versions of the reflection service, for the services given and for itself. */
export function reflectionHandlers(services: readonly DescService[]): {
  readonly v1: Handlers<typeof v1.ServerReflection>;
  readonly v1alpha: Handlers<typeof v1alpha.ServerReflection>;
} {
  const answer = answerer([...new Set([...services, v1.ServerReflection, v1alpha.ServerReflection])]);
  const respond = (request: v1.ServerReflectionRequest): v1.ServerReflectionResponse =>
    create(v1.ServerReflectionResponseSchema, {
      validHost: request.host,
      originalRequest: request,
      messageResponse: answer(request),
    });
  return {
    v1: {
      async *serverReflectionInfo(requests) {
        for await (const request of requests) yield respond(request);
      },
    },
    v1alpha: {
      // Both versions have the same bytes; only the names of their types differ.
      async *serverReflectionInfo(requests) {
        for await (const request of requests) {
          const asked = toBinary(v1alpha.ServerReflectionRequestSchema, request);
          const response = respond(fromBinary(v1.ServerReflectionRequestSchema, asked));
          const bytes = toBinary(v1.ServerReflectionResponseSchema, response);
          yield fromBinary(v1alpha.ServerReflectionResponseSchema, bytes);
        }
      },
    },
  };
}

function answerer(services: readonly DescService[]): (request: v1.ServerReflectionRequest) => Answer {
  const index = indexFiles(services.map((service) => service.file));
  const names = services.map((service) => service.typeName).toSorted();
  const files = (found: Uint8Array[] | undefined, wanted: string): Answer =>
    found === undefined
      ? failure(Code.NOT_FOUND, `not found: ${wanted}`)
      : { case: 'fileDescriptorResponse', value: { fileDescriptorProto: found } };

  return ({ messageRequest: asked }) => {
    switch (asked.case) {
      case 'listServices':
        return { case: 'listServicesResponse', value: { service: names.map((name) => ({ name })) } };
      case 'fileByFilename':
        return files(index.byName(asked.value), asked.value);
      case 'fileContainingSymbol':
        return files(index.bySymbol(asked.value), asked.value);
      case 'allExtensionNumbersOfType':
        if (index.bySymbol(asked.value) === undefined) return failure(Code.NOT_FOUND, `not found: ${asked.value}`);
        return { case: 'allExtensionNumbersResponse', value: { baseTypeName: asked.value } };
      case 'fileContainingExtension':
        return failure(Code.NOT_FOUND, 'there are no extensions');
      case undefined:
      default:
        return failure(Code.INVALID_ARGUMENT, 'the request asks for nothing');
    }
  };
}

function failure(errorCode: number, errorMessage: string): Answer {
  return { case: 'errorResponse', value: { errorCode, errorMessage } };
}
