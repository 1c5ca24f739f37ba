import { CommandError } from './command-error.ts';

/** A SPIFFE ID as messages carry it. */
export interface WireId {
  readonly trustDomain: string;
  readonly path: string;
}

/** Reads a SPIFFE ID; its length is left to the server to judge. @throws {CommandError} */
export function readId(text: string): WireId {
  if (text === '') throw new CommandError('cannot be empty');
  if (!text.startsWith('spiffe://')) throw new CommandError('scheme is missing or invalid');
  const [, domain = '', path = ''] = /^spiffe:\/\/([^/]*)([\s\S]*)$/.exec(text) ?? [];
  checkDomain(domain);
  checkPath(path);
  return { trustDomain: domain, path };
}

/** The name of a trust domain given as a name or as an ID. @throws {CommandError} */
export function readDomain(text: string): string {
  if (text === '') throw new CommandError('trust domain is missing');
  if (text.includes(':/')) return readId(text).trustDomain;
  checkDomain(text);
  return text;
}

const checkDomain = (name: string): void => {
  if (name === '') throw new CommandError('trust domain is missing');
  if (!/^[a-z0-9._-]+$/.test(name)) {
    throw new CommandError(
      'trust domain characters are limited to lowercase letters, numbers, dots, dashes, and underscores',
    );
  }
};

const checkPath = (path: string): void => {
  if (path === '') return;
  const segments = path.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    if (segment === '' && index === segments.length - 1) throw new CommandError('path cannot have a trailing slash');
    if (segment === '') throw new CommandError('path cannot contain empty segments');
    if (segment === '.' || segment === '..') throw new CommandError('path cannot contain dot segments');
    if (!/^[a-zA-Z0-9._-]+$/.test(segment)) {
      throw new CommandError('path segment characters are limited to letters, numbers, dots, dashes, and underscores');
    }
  }
};

/** An ID as text; empty when there is none. */
export const idText = (id: WireId | undefined): string =>
  id === undefined ? '' : `spiffe://${id.trustDomain}${id.path}`;
