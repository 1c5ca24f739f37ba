import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import { StatusSchema } from '../gen/google/rpc/status_pb.ts';
import { Code, type ErrorCode, errorCodeOf } from './code.ts';

/** A typed error detail, as `google.protobuf.Any` carries it. */
export interface StatusDetail {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

const detailsKey = 'grpc-status-details-bin';

/** A failed call: what a handler throws to choose the status, and what a client throws when it got one. */
export class GrpcError extends Error {
  readonly code: ErrorCode;
  readonly details: readonly StatusDetail[];

  constructor(code: ErrorCode, message: string, options: ErrorOptions & { details?: readonly StatusDetail[] } = {}) {
    super(message, options);
    this.name = 'GrpcError';
    this.code = code;
    this.details = options.details ?? [];
  }

  static of(code: ErrorCode, message: string, ...details: StatusDetail[]): GrpcError {
    return new GrpcError(code, message, { details });
  }
}

/** Packs a message as an error detail. */
export function packDetail<D extends DescMessage>(schema: D, init: MessageInitShape<D>): StatusDetail {
  return { typeUrl: `type.googleapis.com/${schema.typeName}`, value: toBinary(schema, create(schema, init)) };
}

/** The first detail of that type; undefined when there is none or it cannot be read. */
export function findDetail<D extends DescMessage>(error: GrpcError, schema: D): MessageShape<D> | undefined {
  const found = error.details.find((detail) => detail.typeUrl.endsWith(`/${schema.typeName}`));
  try {
    return found && fromBinary(schema, found.value);
  } catch {
    return undefined;
  }
}

/** What grpc-js sends for this error. The status message is repeated inside the details, as gRPC prescribes. */
export function statusObjectOf(error: GrpcError): { code: ErrorCode; details: string; metadata: grpc.Metadata } {
  const metadata = new grpc.Metadata();
  // grpc-js escapes the text with encodeURI, which throws on a lone surrogate.
  const message = error.message.toWellFormed();
  if (error.details.length > 0) {
    const status = create(StatusSchema, {
      code: error.code,
      message,
      details: error.details.map(({ typeUrl, value }) => ({ typeUrl, value: value as Uint8Array<ArrayBuffer> })),
    });
    metadata.set(detailsKey, Buffer.from(toBinary(StatusSchema, status)));
  }
  return { code: error.code, details: message, metadata };
}

/** The details of an error grpc-js gave; empty when there are none or they cannot be read. */
export function readStatusDetails(error: { metadata?: grpc.Metadata }): StatusDetail[] {
  const [value] = error.metadata?.get(detailsKey) ?? [];
  if (!Buffer.isBuffer(value)) return [];
  try {
    return fromBinary(StatusSchema, value).details.map((any) => ({ typeUrl: any.typeUrl, value: any.value }));
  } catch {
    return [];
  }
}

/** The error grpc-js gave a client, as ours. */
export function fromServiceError(error: unknown): GrpcError {
  if (error instanceof GrpcError) return error;
  const given = error as Partial<grpc.ServiceError>;
  if (typeof given?.code !== 'number') return new GrpcError(Code.INTERNAL, 'the call failed', { cause: error });
  const details = readStatusDetails(given as grpc.ServiceError);
  return new GrpcError(errorCodeOf(given.code), given.details ?? given.message ?? '', { cause: error, details });
}
