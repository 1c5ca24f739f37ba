import { isPunycode } from './punycode.ts';

const LONGEST_NAME = 253;
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/**
 * Why a text is no DNS name as a certificate may carry it, or undefined if it is one: host name syntax of RFC 1123 2.1,
 * where the whole first label may be `*` (RFC 6125 6.4.3). An IP address is no DNS name.
 */
export function dnsNameProblem(name: string): string | undefined {
  if (name === '') return 'name is empty';
  if (name.length > LONGEST_NAME) return `name is longer than ${LONGEST_NAME} characters`;
  const labels = name.split('.');
  const wildcard = labels[0] === '*';
  if (wildcard) labels.shift();
  if (labels.length === 0) return 'a wildcard needs a name after it';
  for (const label of labels) {
    const problem = labelProblem(label);
    if (problem !== undefined) return problem;
  }
  // No top-level domain is numeric, and the forms inet_aton reads ("127.1", "0x7f.1") end in a number too.
  if (/^(?:[0-9]+|0[xX][0-9A-Fa-f]*)$/.test(labels.at(-1) ?? '')) return 'an IP address is not a DNS name';
  return undefined;
}

/** Whether a wildcard among the names covers another one of them. Case does not matter. */
export function wildcardOverlap(names: readonly string[]): { wildcard: string; covered: string } | undefined {
  const wildcards = new Map(names.filter((n) => n.startsWith('*.')).map((n) => [n.slice(2).toLowerCase(), n]));
  for (const covered of names) {
    const wildcard = wildcards.get(covered.slice(covered.indexOf('.') + 1).toLowerCase());
    if (wildcard !== undefined && !covered.startsWith('*.') && covered.includes('.')) return { wildcard, covered };
  }
  return undefined;
}

function labelProblem(label: string): string | undefined {
  if (label === '') return 'label is empty';
  if (label.length > 63) return 'label is longer than 63 characters';
  if (label === '*') return 'wildcard is only allowed as the whole first label';
  if (!LABEL.test(label)) return 'labels hold letters, digits and inner hyphens only';
  if (label.slice(2, 4) !== '--') return undefined;
  // RFC 5891 4.2.3.1: two hyphens there are reserved for A-labels.
  if (label.slice(0, 2).toLowerCase() === 'xn' && isPunycode(label.slice(4))) return undefined;
  return 'label is not a valid internationalized name';
}
