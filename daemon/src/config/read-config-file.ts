import { createReadStream } from 'node:fs';
import { extname } from 'node:path';
import { ConfigError } from '../config-error.ts';
import { reasonOf } from '../files.ts';
import { type ConfigNode, offsetIn, toValue } from './config-node.ts';
import { EnvExpander, type Environment } from './expand-env.ts';
import { parseHcl } from './parse-hcl.ts';
import { parseJson } from './parse-json.ts';
import { parseYaml } from './parse-yaml.ts';
import { LARGEST_CONFIG, type Position, SourceText } from './source-text.ts';

/** The three forms of one configuration. */
export type ConfigForm = 'hcl' | 'json' | 'yaml';

/** A configuration that was read but not judged. */
export interface ConfigDocument {
  readonly value: unknown;
  readonly file?: string;
  /** Where the thing at this path stands, or the nearest thing above it. */
  positionOf(path: readonly PropertyKey[]): Position | undefined;
}

/** How a file is read. */
export interface ReadConfigOptions {
  /** Replace `$NAME` and `${NAME}` in values: true for the process's environment. */
  readonly expandEnv?: boolean | Environment;
}

/**
 * Reads a configuration file: YAML by its extension `.yaml` or `.yml`, else HCL, or JSON if it begins with a brace.
 *
 * @throws {ConfigError} with file, line and column
 */
export async function readConfigFile(path: string, options: ReadConfigOptions = {}): Promise<ConfigDocument> {
  const content = await readSome(path).catch((error: unknown) => {
    throw new ConfigError([{ path: '', file: path, message: `cannot be read: ${reasonOf(error)}` }], { cause: error });
  });
  return parseConfig(content, formOf(path), { ...options, file: path });
}

/** No more than is needed to see that it is too much: the file may be a device without an end. */
async function readSome(path: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of createReadStream(path, { end: LARGEST_CONFIG })) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

/** Reads a configuration from memory. Throws as {@link readConfigFile}. */
export function parseConfig(
  content: string | Uint8Array,
  form: ConfigForm,
  options: ReadConfigOptions & { readonly file?: string } = {},
): ConfigDocument {
  const source = new SourceText(content, options.file);
  const env = new EnvExpander(source, environmentOf(options.expandEnv));
  const root = parse(source, env, form);
  env.finish();
  if (root.kind !== 'object') source.fail('a configuration consists of named settings', root.offset);
  return {
    value: toValue(root),
    ...(options.file === undefined ? {} : { file: options.file }),
    positionOf: (path) => source.position(offsetIn(root, path)),
  };
}

/** A configuration made in the program instead of read from a file. */
export function configOf(value: unknown): ConfigDocument {
  return { value, positionOf: () => undefined };
}

function formOf(path: string): ConfigForm {
  const extension = extname(path).toLowerCase();
  if (extension === '.yaml' || extension === '.yml') return 'yaml';
  return extension === '.json' ? 'json' : 'hcl';
}

function parse(source: SourceText, env: EnvExpander, form: ConfigForm): ConfigNode {
  if (form === 'yaml') return parseYaml(source, env);
  // SPIRE's `.conf` files may be JSON too; no HCL file begins with a brace.
  const isJson = form === 'json' || /^\s*\{/.test(source.text);
  return isJson ? parseJson(source, env) : parseHcl(source, env);
}

function environmentOf(expandEnv: boolean | Environment | undefined): Environment | undefined {
  if (expandEnv === true) return process.env;
  return expandEnv === false ? undefined : expandEnv;
}
