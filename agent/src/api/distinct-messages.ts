import { type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { Encoded } from '@steeple/proto/grpc';
import { oncePer } from './once-per.ts';

type Encode<S extends DescMessage> = (message: MessageShape<S>) => Encoded<S>;
const encoders = new Map<DescMessage, unknown>();

/** The messages that say something new: one that is equal to the last one sent is left out. */
export async function* distinctMessages<S extends DescMessage>(
  schema: S,
  messages: AsyncIterable<MessageShape<S>>,
): AsyncGenerator<Encoded<S>, void, undefined> {
  const encode = encoderOf(schema);
  let sent: Encoded<S> | undefined;
  for await (const message of messages) {
    const encoded = encode(message);
    if (encoded === sent || (sent !== undefined && Buffer.compare(sent.bytes, encoded.bytes) === 0)) continue;
    sent = encoded;
    yield encoded;
  }
}

/** Encodes a message that many streams share only once. */
function encoderOf<S extends DescMessage>(schema: S): Encode<S> {
  const known = encoders.get(schema) as Encode<S> | undefined;
  if (known !== undefined) return known;
  const encode = oncePer((message: MessageShape<S>) => new Encoded(schema, toBinary(schema, message)));
  encoders.set(schema, encode);
  return encode;
}
