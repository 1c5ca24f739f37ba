/**
 * The audience of a JWT-SVID should be the one service it is for (JWT-SVID section 3.2): whoever receives the token can
 * present it wherever that audience is accepted. A whole trust domain is no service.
 *
 * @throws TypeError
 */
export function requireServiceAudience(audience: string): string {
  if (audience.trim() === '') throw new TypeError('the audience of a JWT-SVID is empty');
  if (/^spiffe:\/\/[^/]*\/?$/i.test(audience)) {
    throw new TypeError(`the audience ${audience} is a whole trust domain; name the service the JWT-SVID is for`);
  }
  return audience;
}
