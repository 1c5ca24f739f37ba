import { ClientError } from '../errors.ts';

/** Chooses among several identities; without either, the first is the default one (Workload API, section 8). */
export interface PickOptions<S> {
  /** The identity carrying exactly this hint. */
  readonly hint?: string | undefined;
  /** Any other choice; `undefined` means that none fits. */
  readonly pick?: ((svids: readonly S[]) => S | undefined) | undefined;
}

/** The chosen identity. @throws ClientError `no-hint` if none fits; there is no silent default (WAPI-67) */
export function pickSvid<S extends { readonly hint: string }>(svids: readonly S[], options: PickOptions<S>): S {
  const { hint, pick } = options;
  const chosen = hint === undefined ? svids : svids.filter((svid) => svid.hint === hint);
  const svid = pick === undefined ? chosen[0] : pick(chosen);
  if (svid !== undefined) return svid;
  const wanted = hint === undefined ? 'no identity was picked' : `no identity with the hint ${JSON.stringify(hint)}`;
  throw new ClientError('no-hint', `${wanted} among ${svids.length} from the Workload API`);
}
