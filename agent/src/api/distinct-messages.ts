import { type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { oncePer } from './once-per.ts';

type Encode = (message: never) => Uint8Array;
const encoders = new Map<DescMessage, Encode>();

/** The messages that say something new: one that is equal to the last one sent is left out. */
export async function* distinctMessages<S extends DescMessage>(
  schema: S,
  messages: AsyncIterable<MessageShape<S>>,
): AsyncGenerator<MessageShape<S>, void, undefined> {
  const encode = encoderOf(schema);
  let sent: Uint8Array | undefined;
  for await (const message of messages) {
    const bytes = encode(message);
    if (sent !== undefined && Buffer.compare(sent, bytes) === 0) continue;
    sent = bytes;
    yield message;
  }
}

/** Encodes a message that many streams share only once. */
function encoderOf<S extends DescMessage>(schema: S): (message: MessageShape<S>) => Uint8Array {
  const known = encoders.get(schema) as ((message: MessageShape<S>) => Uint8Array) | undefined;
  if (known !== undefined) return known;
  const encode = oncePer((message: MessageShape<S>) => toBinary(schema, message));
  encoders.set(schema, encode as Encode);
  return encode;
}
