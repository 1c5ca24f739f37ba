import { resolve } from 'node:path';
import { type DescMessage, type DescService, type MessageShape, toJson } from '@bufbuild/protobuf';
import { credentials } from '@grpc/grpc-js';
import { createClient, type ServiceClient } from '@steeple/proto/grpc';
import type { FlagValues } from './go/flag-set.ts';
import { goJson, goStructJson } from './go/json.ts';
import { withGoErrors } from './go-client.ts';
import type { CompatIo } from './io.ts';
import type { Socket } from './sockets.ts';

/** One run of a command: its flags, the service that it calls, and where it prints. */
export class Call implements Disposable {
  readonly flags: FlagValues;
  readonly io: CompatIo;
  readonly #socket: Socket;
  readonly #clients: { close(): void }[] = [];

  constructor(flags: FlagValues, io: CompatIo, socket: Socket) {
    this.flags = flags;
    this.io = io;
    this.#socket = socket;
  }

  client<S extends DescService>(service: S): ServiceClient<S> {
    const client = createClient(service, {
      address: `unix:${resolve(this.#socket.path)}`,
      credentials: credentials.createInsecure(),
      // A list of entries may be long; the Go programs have a bound of 4 MiB only where pages are used.
      options: { 'grpc.max_receive_message_length': -1 },
    });
    this.#clients.push(client);
    return withGoErrors(client, this.#socket.dialled);
  }

  /** Prints an answer: as JSON when asked, otherwise with `pretty`. */
  async answer<D extends DescMessage>(schema: D, message: MessageShape<D>, pretty: () => void): Promise<void> {
    if (this.flags.output === 'json') this.io.out(`${goJson(protoJson(schema, message))}\n`);
    else pretty();
  }

  /** Prints a value that is no message; its keys keep their order. */
  value(value: unknown, pretty: () => void): void {
    if (this.flags.output === 'json') this.io.out(`${goStructJson(value)}\n`);
    else pretty();
  }

  line(text = ''): void {
    this.io.out(`${text}\n`);
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client.close();
  }
}

/** Field names as in the .proto files, and empty fields shown. */
export const protoJson = <D extends DescMessage>(schema: D, message: MessageShape<D>): unknown =>
  toJson(schema, message, { useProtoFieldName: true, alwaysEmitImplicit: true });

/** `singular` for one, `plural` for any other count. */
export const counted = (count: number, singular: string, plural: string): string =>
  `${count} ${count === 1 ? singular : plural}`;
