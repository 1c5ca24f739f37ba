// The configuration of a daemon as its program reads it: flags before the file, the file before the defaults.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ConfigDocument, readConfigFile } from '@steeple/daemon/config';
import { CommandError } from './command-error.ts';
import { boolFlag, type FlagKind, stringFlag } from './go/flag-kind.ts';
import type { FlagSpec, FlagValues } from './go/flag-set.ts';

/** A flag that overrides a setting of the file. */
export interface SettingFlag {
  readonly name: string;
  readonly setting: string;
  readonly usage: string;
  readonly kind?: FlagKind<string> | FlagKind<boolean> | FlagKind<bigint>;
}

export const logFlags: readonly SettingFlag[] = [
  { name: 'logFile', setting: 'log_file', usage: 'File to write logs to' },
  { name: 'logFormat', setting: 'log_format', usage: "'text' or 'json'" },
  { name: 'logLevel', setting: 'log_level', usage: "'debug', 'info', 'warn', or 'error'" },
  {
    name: 'logSourceLocation',
    setting: 'log_source_location',
    usage: 'Include source file, line number and function name in log lines',
    kind: boolFlag,
  },
];

export interface DaemonFlags {
  readonly section: 'server' | 'agent';
  readonly settings: readonly SettingFlag[];
  /** Where the file is when no flag says so. */
  readonly defaultPath: string;
  /** The usage text tells that. */
  readonly tellsDefaultPath: boolean;
  readonly defaults: Readonly<Record<string, unknown>>;
}

export const flagsOfDaemon = ({ settings, defaultPath, tellsDefaultPath }: DaemonFlags): readonly FlagSpec[] => [
  {
    name: 'config',
    kind: stringFlag,
    usage: 'Path to a SPIRE config file',
    ...(tellsDefaultPath && { initial: defaultPath }),
  },
  { name: 'expandEnv', kind: boolFlag, usage: 'Expand environment variables in SPIRE config file' },
  ...settings.map(({ name, usage, kind = stringFlag }) => ({ name, usage, kind })),
];

type Section = Record<string, unknown>;

/** @throws {CommandError} when there is no file; {ConfigError} when it cannot be read */
export async function readDaemonConfig(daemon: DaemonFlags, flags: FlagValues): Promise<ConfigDocument> {
  const path = flags.text('config') || daemon.defaultPath;
  if (!existsSync(path)) {
    throw new CommandError(`could not find config file ${resolve(path)}: please use the -config flag`);
  }
  const document = await readConfigFile(path, { expandEnv: flags.isOn('expandEnv') });
  return withSettings(document, daemon, given(daemon, flags));
}

const given = ({ settings }: DaemonFlags, flags: FlagValues): Section => {
  const found = settings.flatMap(({ name, setting, kind }): [string, unknown][] => {
    // A flag at its zero value is as good as absent: that is how the programs merge.
    if (kind === undefined || kind === stringFlag) return flags.text(name) === '' ? [] : [[setting, flags.text(name)]];
    if (kind === boolFlag) return flags.isOn(name) ? [[setting, true]] : [];
    return flags.number(name) === 0n ? [] : [[setting, Number(flags.number(name))]];
  });
  return Object.fromEntries(found);
};

/** Several blocks of one name are left as they are: the schema refuses them. */
const withSettings = (document: ConfigDocument, { section, defaults }: DaemonFlags, flags: Section): ConfigDocument => {
  const root = document.value as Section;
  const block = root[section];
  const only = Array.isArray(block) && block.length === 1 ? (block[0] as unknown) : (block ?? {});
  if (typeof only !== 'object' || only === null || Array.isArray(only)) return document;
  const file = only as Section;
  const preset = Object.fromEntries(Object.entries(defaults).filter(([name]) => !(name in file)));
  return { ...document, value: { ...root, [section]: { ...preset, ...file, ...flags } } };
};

/** Settings that the programs ask for and ours have defaults for. @throws {CommandError} for the first missing one */
export function requireSettings(document: ConfigDocument, section: 'server' | 'agent', names: readonly string[]): void {
  const root = document.value as Section;
  const block = root[section];
  if (typeof block !== 'object' || block === null) throw new CommandError(`${section} section must be configured`);
  for (const name of names) {
    const value = (block as Section)[name];
    if (value === undefined || value === '') throw new CommandError(`${name} must be configured`);
  }
  if (root['plugins'] === undefined) throw new CommandError('plugins section must be configured');
}
