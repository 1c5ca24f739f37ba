import type { DescMessage } from '@bufbuild/protobuf';

/** A response in its wire form, for handlers that keep encoded what many calls answer. */
export class Encoded<D extends DescMessage> {
  readonly schema: D;
  readonly bytes: Uint8Array;

  constructor(schema: D, bytes: Uint8Array) {
    this.schema = schema;
    this.bytes = bytes;
  }
}
