import { ConfigError } from '../config-error.ts';
import { socketPathFault } from '../socket-path.ts';
import { problemAt } from './check-config.ts';
import type { ConfigDocument } from './read-config-file.ts';

/**
 * The path of a socket, if one can have it. Only what is known without looking at the file system is judged, so that a
 * configuration can be checked on another machine.
 *
 * @throws {ConfigError} with the place of the setting
 */
export function checkSocketPath(document: ConfigDocument, setting: readonly string[], path: string): string {
  const fault = socketPathFault(path);
  if (fault !== undefined) throw new ConfigError([problemAt(document, setting, fault)]);
  return path;
}
