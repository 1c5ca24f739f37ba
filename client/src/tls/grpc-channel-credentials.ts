import type { Socket } from 'node:net';
import { isIP } from 'node:net';
import { type CallCredentials, ChannelCredentials, credentials, experimental } from '@grpc/grpc-js';
import { ClientError } from '../errors.ts';
import { openTls, type SpiffeClientOptions } from './connect.ts';
import { markForDraining } from './drain-http2.ts';

type SecureConnector = experimental.SecureConnector;
type SecureConnectResult = experimental.SecureConnectResult;
type GrpcUri = experimental.GrpcUri;

/**
 * Channel credentials for `@grpc/grpc-js`: each new connection presents the SVID of that moment, and the server is
 * authenticated and authorised before HTTP/2 sees a byte. Rotation needs no new channel: when the sources report a new SVID
 * or another bundle (`onChange`), calls go on a new connection, and the old one ends with the calls that run on it. One to
 * a server that is no longer trusted is cut at once. Keep one object per peer: channels share connections only when they
 * share it.
 */
export function spiffeChannelCredentials(options: SpiffeClientOptions): ChannelCredentials {
  return new SpiffeChannelCredentials(options);
}

// grpc-js offers no public seam for a verifying handshake, so this fills in its abstract class. The shape is checked
// by the compiler, the behaviour by grpc-channel-credentials.test.ts; an upgrade that changes either fails there.
class SpiffeChannelCredentials extends ChannelCredentials {
  readonly #options: SpiffeClientOptions;

  constructor(options: SpiffeClientOptions) {
    super();
    this.#options = options;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(target: GrpcUri, _channel: object, call?: CallCredentials): SecureConnector {
    return new SpiffeConnector(this.#options, serverName(target), call ?? credentials.createEmpty());
  }
}

class SpiffeConnector implements SecureConnector {
  readonly #options: SpiffeClientOptions;
  readonly #servername: string | undefined;
  readonly #call: CallCredentials;

  constructor(options: SpiffeClientOptions, servername: string | undefined, call: CallCredentials) {
    this.#options = options;
    this.#servername = servername;
    this.#call = call;
  }

  async connect(socket: Socket): Promise<SecureConnectResult> {
    if (socket.destroyed) throw new ClientError('closed', 'connection closed before the TLS handshake');
    const servername = this.#servername === undefined ? {} : { servername: this.#servername };
    let drain = () => {};
    const target = { socket, ALPNProtocols: ['h2'], ...servername };
    const { socket: secured } = await openTls(target, this.#options, {
      // Without the error: calls then fail UNAVAILABLE, to be tried again, and the new connection fails with the reason.
      cut: (_error, cut) => void cut.destroy(),
      retire: () => drain(),
    });
    drain = markForDraining(secured);
    if (secured.alpnProtocol !== 'h2') {
      secured.destroy();
      throw new ClientError('wrong-protocol', 'peer does not speak HTTP/2 (no ALPN "h2")');
    }
    return { socket: secured, secure: true };
  }

  async waitForReady(): Promise<void> {}

  getCallCredentials(): CallCredentials {
    return this.#call;
  }

  destroy(): void {}
}

/** SNI, a routing hint only: the host name of the target, if it is one. */
function serverName(target: GrpcUri): string | undefined {
  const host = experimental.splitHostPort(target.path)?.host ?? '';
  const named = (target.scheme === undefined || target.scheme === 'dns') && host !== '' && isIP(host) === 0;
  return named ? host : undefined;
}
