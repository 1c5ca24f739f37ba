import type { ServerUnit } from '../../interop/spire/server-unit.ts';
import type { Site } from '../../interop/spire/site.ts';
import type { KeyFiles, SshKeys } from './host-keys.ts';

/** What the cases have in common. */
export interface Place {
  readonly folder: string;
  readonly site: Site;
  /** Believes `authority`, names in `example.org`, and what is not in the list `revoked`. */
  readonly server: ServerUnit;
  readonly keys: SshKeys;
  readonly authority: KeyFiles;
  readonly other: KeyFiles;
  readonly revoked: string;
}
