import { subscribe } from 'node:diagnostics_channel';
import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import type { TLSSocket } from 'node:tls';

/** What is known of a marked socket. */
interface Mark {
  /** The session it carries; unknown before its first call. */
  session?: ClientHttp2Session;
  isDraining: boolean;
}

// A property and no WeakMap: a session shows a proxy of its socket, which is another key.
const MARK = Symbol('HTTP/2 session');
/** Every stream was processed, as far as the one who says goodbye knows (RFC 9113 section 6.8). */
const ALL_STREAMS = 2 ** 31 - 1;

let following = false;
/** Whether this Node tells of streams; the first versions of Node 22 do not. */
let isTold = false;

/**
 * Prepares a connection that a gRPC channel is about to use, and returns a function that lets the channel leave it: new
 * calls go elsewhere, running ones end undisturbed, and the connection with the last of them.
 *
 * grpc-js has no way to ask for that but does it when the server says goodbye, so the function says it in the server's name.
 * Node's diagnostics channel is what tells us the session of a socket. A connection without a call is just closed.
 */
export function markForDraining(socket: TLSSocket): () => void {
  if (!following) subscribe('http2.client.stream.created', onStream);
  following = true;
  const mark: Mark = { isDraining: false };
  Object.defineProperty(socket, MARK, { value: mark });
  return () => {
    mark.isDraining = true;
    if (mark.session !== undefined) sayGoodbye(mark.session);
    // Without a sign of life from the channel, calls may be running that we were not told of.
    else if (isTold) socket.destroy();
  };
}

function onStream(message: unknown): void {
  isTold = true;
  const { session } = (message as { stream: ClientHttp2Stream }).stream;
  const mark = (session?.socket as { [MARK]?: Mark } | undefined)?.[MARK];
  if (mark === undefined || mark.session !== undefined) return;
  mark.session = session as ClientHttp2Session;
  // Not within the call that is just being made.
  if (mark.isDraining) queueMicrotask(() => sayGoodbye(session as ClientHttp2Session));
}

function sayGoodbye(session: ClientHttp2Session): void {
  session.emit('goaway', constants.NGHTTP2_NO_ERROR, ALL_STREAMS, undefined);
}
