import { eventually } from '../spire/checks.ts';
import type { ServerUnit } from '../spire/server-unit.ts';

const call = { deadline: 20 };

export interface RootWatch {
  /** How many roots the program trusts. */
  readonly roots: () => Promise<number>;
  /** The key identifier of the authority that signed what the program presents. */
  readonly signedBy: () => Promise<string>;
}

/** A new root for the server, step by step, each once the program has taken the one before it over. */
export async function replaceRoot({ api: { authority } }: ServerUnit, { roots, signedBy }: RootWatch): Promise<void> {
  const old = (await authority.getX509AuthorityState({}, call)).active?.authorityId ?? '';
  const next = (await authority.prepareX509Authority({}, call)).preparedAuthority?.authorityId ?? '';
  await eventually('the prepared root reaches the program', async () => (await roots()) === 2 || undefined);
  await authority.activateX509Authority({ authorityId: next }, call);
  await authority.taintX509Authority({ authorityId: old }, call);
  await eventually('its certificate is of the new authority', async () => (await signedBy()) === next || undefined, 60);
  await authority.revokeX509Authority({ authorityId: old }, call);
  await eventually('the old root leaves the program', async () => (await roots()) === 1 || undefined);
}
