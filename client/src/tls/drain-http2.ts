import { subscribe } from 'node:diagnostics_channel';
import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import type { TLSSocket } from 'node:tls';

/** Where a marked socket says which HTTP/2 session it carries. */
interface Mark {
  session?: ClientHttp2Session;
}

// A property and no WeakMap: a session shows a proxy of its socket, which is another key.
const MARK = Symbol('HTTP/2 session');
/** Every stream was processed, as far as the one who says goodbye knows (RFC 9113 section 6.8). */
const ALL_STREAMS = 2 ** 31 - 1;

let following = false;

/**
 * Prepares a connection that a gRPC channel is about to use, and returns a function that lets the channel leave it: new
 * calls go elsewhere, running ones end undisturbed, and the connection with the last of them.
 *
 * grpc-js has no way to ask for that but does it when the server says goodbye, so the function says it in the server's name.
 * Node's diagnostics channel is what tells us the session of a socket; before its first call there is none, and then the
 * connection is just closed.
 */
export function markForDraining(socket: TLSSocket): () => void {
  if (!following) subscribe('http2.client.stream.created', onStream);
  following = true;
  const mark: Mark = {};
  Object.defineProperty(socket, MARK, { value: mark });
  return () => {
    if (mark.session === undefined) socket.destroy();
    else mark.session.emit('goaway', constants.NGHTTP2_NO_ERROR, ALL_STREAMS, undefined);
  };
}

function onStream(message: unknown): void {
  const { session } = (message as { stream: ClientHttp2Stream }).stream;
  const mark = (session?.socket as { [MARK]?: Mark } | undefined)?.[MARK];
  if (mark !== undefined) mark.session = session as ClientHttp2Session;
}
