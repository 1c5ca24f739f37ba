import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { ConfigError } from '../config-error.ts';
import { reasonOf } from '../files.ts';
import { type ConfigDocument, parseConfig } from './read-config-file.ts';

/**
 * The settings of a plugin that are kept in a file of their own: HCL, JSON or YAML, judged like those in the main file.
 *
 * @throws {ConfigError} that names `setting`, or file and line of what cannot be read
 */
export function readPluginData(path: string, setting: string): ConfigDocument {
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch (cause) {
    throw new ConfigError([{ path: setting, message: `cannot read ${path}: ${reasonOf(cause)}` }], { cause });
  }
  const extension = extname(path).toLowerCase();
  const form = extension === '.yaml' || extension === '.yml' ? 'yaml' : extension === '.json' ? 'json' : 'hcl';
  return parseConfig(content, form, { file: path });
}
