import type { Case } from '../interop/case.ts';

/** A real system that attestation is proven against: an engine, a cluster, a service manager, a device. */
export interface RealPart {
  /** What is typed after `npm run real --`. */
  readonly name: string;
  /** One line for `--list`. */
  readonly what: string;
  /**
   * Sets the system up in the folder given, with nothing of the machine's own touched, and tells what is to be shown.
   *
   * @throws {Skip} with the reason where this machine cannot have it
   */
  readonly open: (folder: string) => Promise<OpenPart>;
}

/** A running system; disposing it leaves nothing behind. */
export interface OpenPart extends AsyncDisposable {
  readonly cases: readonly Case[];
}
