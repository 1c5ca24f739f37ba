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
  const news = new News(schema);
  for await (const message of messages) {
    const encoded = news.in(message);
    if (encoded !== undefined) yield encoded;
  }
}

/** Knows what a stream was last told. */
export class News<S extends DescMessage> {
  readonly #encode: Encode<S>;
  #told: Encoded<S> | undefined;

  constructor(schema: S) {
    this.#encode = encoderOf(schema);
  }

  /** The message if it says something new; it is then taken for told. */
  in(message: MessageShape<S>): Encoded<S> | undefined {
    const encoded = this.#encode(message);
    if (this.#told !== undefined && Buffer.compare(this.#told.bytes, encoded.bytes) === 0) return undefined;
    this.#told = encoded;
    return encoded;
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
