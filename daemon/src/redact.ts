const REDACTED = '[redacted]';
const DEEPEST = 4;
const LONGEST_TEXT = 8192;
const MOST_ITEMS = 100;

/** Names without case and separators. A value under such a name is never written. */
const SECRET_NAMES = new Set(
  [
    'token jointoken accesstoken idtoken bearertoken authorization cookie',
    'password passphrase passwd secret clientsecret apikey credential credentials',
    'key privatekey signingkey x509svidkey witsvidkey svidkey pkcs8 jwk',
    'csr svid jwtsvid witsvid jwt payload connectionstring',
  ].flatMap((line) => line.split(' ')),
);

/** A private key in PEM, a compact JWS, or credentials in a URL, wherever they stand in a text. */
const SECRET_LOOK =
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)|\bey[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*|(?<=:\/\/)[^\s/@:]{0,256}:[^\s/@]{1,256}(?=@)/g;

/**
 * A copy of log fields that is safe to print as JSON: no secrets, bounded, without cycles. Later layers replace fields of
 * earlier ones. Never throws, whatever getters and proxies do.
 */
export function redactFields(layers: readonly object[]): Record<string, unknown> {
  return Object.fromEntries(layers.flatMap((layer) => Object.entries(copyMember({ layer }, 'layer', -1) as object)));
}

/** A text without what looks like a secret, and of bounded length. */
export function printable(text: string): string {
  const clean = text.replaceAll(SECRET_LOOK, REDACTED);
  return clean.length <= LONGEST_TEXT ? clean : `${clean.slice(0, LONGEST_TEXT)}… (${clean.length} characters)`;
}

function copyObject(fields: object, depth: number): Record<string, unknown> {
  const entries = Object.keys(fields)
    .slice(0, MOST_ITEMS)
    .map((key): [string, unknown] => [key, isSecretName(key) ? REDACTED : copyMember(fields, key, depth)]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function copyMember(holder: object, key: string, depth: number): unknown {
  try {
    return copyValue((holder as Record<string, unknown>)[key], depth);
  } catch {
    return '[unreadable]'; // a throwing getter or toString must not end a request
  }
}

function copyValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return printable(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (value === undefined || value === null || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object') return `[${typeof value}]`;
  if (value instanceof Error) return printable(errorText(value, 0));
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= DEEPEST) return '[…]';
  if (Array.isArray(value)) return value.slice(0, MOST_ITEMS).map((item) => copyValue(item, depth + 1) ?? null);
  if (isPlain(value)) return copyObject(value, depth + 1);
  const text = (value as { toString(): string }).toString();
  return text.startsWith('[object ') ? text : printable(text);
}

function errorText(error: Error, depth: number): string {
  const { cause } = error;
  if (!(cause instanceof Error) || depth >= DEEPEST || error.message.includes(cause.message)) return error.message;
  return `${error.message}: ${errorText(cause, depth + 1)}`;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isSecretName(name: string): boolean {
  return SECRET_NAMES.has(name.toLowerCase().replaceAll(/[^a-z0-9]/g, ''));
}
