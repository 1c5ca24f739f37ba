import type { Call } from './call.ts';
import { rfc3339 } from './go/time.ts';
import { idText, type WireId } from './spiffe-id.ts';

interface Shown {
  readonly id?: WireId | undefined;
  readonly subject: string;
  readonly expiresAt: bigint;
}

/** The certificates of a program's own SVID, as `debug getinfo` prints them. */
export function tellChain(call: Call, chain: readonly Shown[]): void {
  if (chain.length > 0) call.line('  SVID Chain:');
  for (const [index, { id, subject, expiresAt }] of chain.entries()) {
    call.line(`    [${index}] SPIFFE ID:  ${id === undefined ? '(none)' : idText(id)}`);
    call.line(`        Subject:    ${subject}`);
    call.line(`        Expires At: ${rfc3339(Number(expiresAt))}`);
  }
}
