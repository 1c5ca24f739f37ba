import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import type { GenService } from '@bufbuild/protobuf/codegenv2';
import type * as grpc from '@grpc/grpc-js';
import { Encoded } from './encoded.ts';

/** A service's methods by local name, with their message types. */
export type MethodsOf<S extends DescService> = S extends GenService<infer M> ? M : never;

/** `/package.Service/Method` */
export function methodPath(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** Wire form of a message or of the fields to make one from; a Buffer because grpc-js copies with its methods. */
export function encoder<D extends DescMessage>(schema: D): (value: MessageInitShape<D> | Encoded<D>) => Buffer {
  return (value) => {
    const bytes = value instanceof Encoded ? value.bytes : toBinary(schema, create(schema, value));
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

export function decoder<D extends DescMessage>(schema: D): (bytes: Buffer) => MessageShape<D> {
  return (bytes) => fromBinary(schema, bytes);
}

export function hasRequestStream(method: DescMethod): boolean {
  return method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming';
}

export function hasResponseStream(method: DescMethod): boolean {
  return method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming';
}

const asIs = (bytes: Buffer): Buffer => bytes;

/** The grpc-js form of a service, for a server whose handlers give encoded responses. */
export function serverDefinition(service: DescService): grpc.ServiceDefinition {
  const methods = service.methods.map((method): [string, grpc.MethodDefinition<unknown, Buffer>] => [
    method.localName,
    {
      path: methodPath(method),
      originalName: method.localName,
      requestStream: hasRequestStream(method),
      responseStream: hasResponseStream(method),
      requestSerialize: encoder(method.input) as (value: unknown) => Buffer,
      requestDeserialize: decoder(method.input),
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  ]);
  return Object.fromEntries(methods);
}
