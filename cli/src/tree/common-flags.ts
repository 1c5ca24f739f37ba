import type { Flag } from '../verb.ts';

export const serverSocketFlag: Flag = {
  flags: '--socket <path>',
  help: "the server's administrative socket (STEEPLE_SERVER_SOCKET)",
};

export const workloadSocketFlag: Flag = {
  flags: '--socket <path>',
  help: 'the Workload API socket (SPIFFE_ENDPOINT_SOCKET)',
};

export const outputFlag: Flag = {
  flags: '-o, --output <format>',
  help: 'how to print the answer',
  choices: ['table', 'wide', 'json', 'yaml'],
};

export const watchFlag: Flag = { flags: '--watch', help: 'print again whenever it changes, until interrupted' };

export const configFlag: Flag = {
  flags: '-c, --config <file>',
  help: 'configuration file: HCL (.conf, .hcl), YAML or JSON',
  required: true,
};

export const expandEnvFlag: Flag = {
  flags: '--expand-env',
  help: 'replace $NAME in the file by environment variables',
};

export const admin: readonly Flag[] = [serverSocketFlag, outputFlag];
export const workload: readonly Flag[] = [workloadSocketFlag, outputFlag];
