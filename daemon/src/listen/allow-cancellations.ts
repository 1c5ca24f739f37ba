import type { ServerOptions } from 'node:http2';
import type { Server } from '@grpc/grpc-js';

/** What grpc-js hands to `node:http2` for each of its servers; it has no setting for what is set here. */
interface HasHttp2Options {
  readonly commonServerOptions?: ServerOptions;
}

/**
 * Lets clients cancel this many streams of a connection in a burst, and per second after it. Node allows 1000 and 33 and then
 * ends the connection, which is right for strangers from the network ("rapid reset") and too little for local clients that
 * open a stream, take the first answer and leave.
 */
export function allowCancellations(server: Server, limit: number): void {
  const options = (server as unknown as HasHttp2Options).commonServerOptions;
  if (options === undefined) throw new Error('this version of grpc-js keeps its HTTP/2 options elsewhere');
  options.streamResetBurst = limit;
  options.streamResetRate = limit;
}
