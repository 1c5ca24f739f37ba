import { SpiffeError } from '../errors.ts';
import { isPathCharacter } from './characters.ts';

const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * Checks a path: empty, or one or more segments each behind a slash (SPIFFE-ID section 2.2).
 *
 * @throws SpiffeError `invalid-id`
 */
export function requirePath(path: string): void {
  if (path === '') return;
  if (path.charCodeAt(0) !== SLASH) throw invalid('path must begin with a slash', 'ID-12');
  if (path.charCodeAt(path.length - 1) === SLASH) throw invalid('path must not end with a slash', 'ID-14');

  let segmentStart = 1;
  for (let index = 1; index <= path.length; index++) {
    const unit = index === path.length ? SLASH : path.charCodeAt(index);
    if (unit === SLASH) {
      requireSegmentShape(path, segmentStart, index);
      segmentStart = index + 1;
    } else if (!isPathCharacter(unit)) {
      throw invalid('path segments may contain only letters, digits, dots, dashes and underscores', 'ID-15');
    }
  }
}

/**
 * Checks one segment, without a slash.
 *
 * @throws SpiffeError `invalid-id`
 */
export function requireSegment(segment: string): void {
  if (segment.includes('/')) throw invalid('a path segment must not contain a slash', 'ID-15');
  if (segment === '') throw invalid('path must not contain an empty segment', 'ID-12');
  requirePath(`/${segment}`);
}

function requireSegmentShape(path: string, start: number, end: number): void {
  if (start === end) throw invalid('path must not contain an empty segment', 'ID-12');
  const dots = end - start;
  if (dots > 2 || path.charCodeAt(start) !== DOT || path.charCodeAt(end - 1) !== DOT) return;
  throw invalid('path must not contain a dot segment', 'ID-13');
}

function invalid(message: string, rule: string): SpiffeError {
  return new SpiffeError('invalid-id', message, { rule });
}
