/**
 * The character classes of SPIFFE-ID sections 2.1 and 2.2 as a table over ASCII. A table, because case folding and
 * regular expressions know Unicode and a SPIFFE ID does not.
 */

const IN_TRUST_DOMAIN = 1;
const IN_PATH = 2;

const TABLE = new Uint8Array(128);
mark('abcdefghijklmnopqrstuvwxyz0123456789.-_', IN_TRUST_DOMAIN | IN_PATH);
mark('ABCDEFGHIJKLMNOPQRSTUVWXYZ', IN_PATH);

function mark(characters: string, classes: number): void {
  for (const character of characters) TABLE[character.charCodeAt(0)] = classes;
}

/** `a-z 0-9 . - _`, given a UTF-16 unit. */
export function isTrustDomainCharacter(unit: number): boolean {
  return unit < 128 && ((TABLE[unit] ?? 0) & IN_TRUST_DOMAIN) !== 0;
}

/** `a-z A-Z 0-9 . - _`, given a UTF-16 unit. */
export function isPathCharacter(unit: number): boolean {
  return unit < 128 && ((TABLE[unit] ?? 0) & IN_PATH) !== 0;
}
