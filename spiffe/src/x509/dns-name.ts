const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const ALL_DIGITS = /^[0-9]+$/;
const MAX_LENGTH = 253;

/**
 * Whether a text is a DNS name fit for a certificate: labels of RFC 1123, at most 253 characters, with an optional leading
 * `*.` before at least one label. A last label of digits would make it look like an IPv4 address, and is none.
 */
export function isDnsName(text: string): boolean {
  if (text.length > MAX_LENGTH) return false;
  const labels = (text.startsWith('*.') ? text.slice(2) : text).split('.');
  return labels.every((label) => LABEL.test(label)) && !ALL_DIGITS.test(labels.at(-1) ?? '');
}
