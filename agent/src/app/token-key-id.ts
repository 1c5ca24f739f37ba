/** The `kid` of a token that came from our own server; empty if it has none. */
export function tokenKeyId(token: string): string {
  const header: unknown = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
  const kid = (header as { kid?: unknown } | null)?.kid;
  return typeof kid === 'string' ? kid : '';
}
