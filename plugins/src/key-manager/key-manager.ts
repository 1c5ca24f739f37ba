import type { KeyObject } from 'node:crypto';
import type { KeyType, Signer } from '@steeple/spiffe';

/** A named private key held by a key manager. */
export interface SigningKey extends Signer {
  /** The name it was generated under, such as `x509-CA-A` or `agent-svid-B`. */
  readonly id: string;
  /**
   * The private key itself where it lives in this process (memory, disk): TLS in Node cannot sign through a callback.
   * Undefined for keys that never leave another machine or device.
   */
  readonly privateKey: KeyObject | undefined;
}

/**
 * Holds private keys by name. Every method is atomic: a key is found after a restart exactly if `generate` resolved
 * (unless the implementation says that it forgets).
 */
export interface KeyManager {
  /**
   * Makes a fresh key. A key that already has this name is replaced, and only once the new one is stored.
   *
   * @throws {IssuerError} `invalid-argument` for an empty id; `internal` if it could not be stored, the old key then stands.
   */
  generate(id: string, type: KeyType): Promise<SigningKey>;
  find(id: string): Promise<SigningKey | undefined>;
  /** All keys, sorted by id. */
  list(): Promise<readonly SigningKey[]>;
  /** Forgets a key; an unknown id is no error. */
  remove(id: string): Promise<void>;
  close(): Promise<void>;
}
