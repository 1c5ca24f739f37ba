import * as grpc from '@grpc/grpc-js';

class NamedCall extends grpc.ServerInterceptingCall {
  readonly #key: string;

  constructor(call: grpc.ServerInterceptingCallInterface, key: string) {
    super(call);
    this.#key = key;
  }

  override getPeer(): string {
    return this.#key;
  }
}

/** Plaintext server credentials under which every call names its connection by this key. */
export function credentialsNaming(key: string): grpc.ServerCredentials {
  return grpc.experimental.createServerCredentialsWithInterceptors(grpc.ServerCredentials.createInsecure(), [
    (_method, call) => new NamedCall(call, key),
  ]);
}
