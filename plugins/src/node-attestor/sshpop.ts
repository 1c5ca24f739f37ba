import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { IssuerError } from '@steeple/core';
import { ConfigError } from '@steeple/daemon';
import { z } from 'zod';
import type { NodeVerifierHost, PluginDefinition } from '../plugin.ts';
import { AgentPathTemplate } from './agent-path-template.ts';
import { readKeyLines } from './sshpop/authorized-keys.ts';
import { SshpopProver } from './sshpop/prover.ts';
import type { SshPublicKey } from './sshpop/public-key.ts';
import { type RevokedKeys, readRevokedKeys } from './sshpop/revoked-keys.ts';
import { PATH_FIELDS, SshpopVerifier } from './sshpop/verifier.ts';

const NAME = 'sshpop';

const verifierSchema = z
  .strictObject({
    /** Keys of the authorities in the form of `authorized_keys`; together with those in the file. */
    cert_authorities: z.array(z.string().min(1)).optional(),
    cert_authorities_path: z.string().min(1).optional(),
    canonical_domain: z.string().default(''),
    agent_path_template: z.string().min(1).default('{{ .PluginName }}/{{ .Fingerprint }}'),
    /** Ours: what sshd's `RevokedKeys` names. */
    revoked_keys_path: z.string().min(1).optional(),
    /** Ours: SPIRE's agent signs the challenge with SHA-1 if the host key is RSA. */
    accept_sha1_responses: z.boolean().default(false),
  })
  .refine(
    (c) => c.cert_authorities !== undefined || c.cert_authorities_path !== undefined,
    'needs "cert_authorities" or "cert_authorities_path"',
  );
type VerifierConfig = z.infer<typeof verifierSchema>;

export const sshpopVerifier: PluginDefinition<'node-verifier', VerifierConfig> = {
  kind: 'node-verifier',
  name: NAME,
  schema: verifierSchema,
  create: async (config, host) => {
    const { revoked_keys_path: revokedPath } = config;
    if (revokedPath !== undefined) await read(revokedPath, 'revoked_keys_path', readRevokedKeys);
    return new SshpopVerifier({
      trustDomain: host.trustDomain,
      authorities: await authoritiesOf(config),
      canonicalDomain: config.canonical_domain,
      agentPath: pathOf(config.agent_path_template),
      revoked: () => revokedNow(revokedPath, host),
      acceptSha1Responses: config.accept_sha1_responses,
      now: () => host.clock.now(),
      random: randomBytes,
    });
  },
};

const proverSchema = z.strictObject({
  host_key_path: z.string().min(1).default('/etc/ssh/ssh_host_rsa_key'),
  host_cert_path: z.string().min(1).default('/etc/ssh/ssh_host_rsa_key-cert.pub'),
});

export const sshpopProver: PluginDefinition<'node-prover', z.infer<typeof proverSchema>> = {
  kind: 'node-prover',
  name: NAME,
  schema: proverSchema,
  create: async (config) =>
    new SshpopProver({ hostKeyPath: config.host_key_path, hostCertPath: config.host_cert_path }),
};

async function authoritiesOf(config: VerifierConfig): Promise<readonly SshPublicKey[]> {
  const { cert_authorities: lines = [], cert_authorities_path: path } = config;
  const listed = lines.flatMap((line, index) => {
    const place = { path: `cert_authorities[${index}]` };
    const keys = inPlace(place, () => readKeyLines(line));
    if (keys.length === 1) return keys;
    throw new ConfigError([{ ...place, message: 'must be one key, as it stands in a .pub file' }]);
  });
  const decode = (bytes: Uint8Array) => readKeyLines(Buffer.from(bytes).toString('utf8'));
  const filed = path === undefined ? [] : await read(path, 'cert_authorities_path', decode);
  if (path !== undefined && filed.length === 0) {
    throw new ConfigError([{ path: 'cert_authorities_path', file: path, message: 'the file holds no key' }]);
  }
  if (listed.length + filed.length > 0) return [...listed, ...filed];
  throw new ConfigError([{ path: 'cert_authorities', message: 'at least one authority is needed' }]);
}

async function read<T>(file: string, path: string, decode: (bytes: Uint8Array) => T): Promise<T> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const message = `the file cannot be read (${(error as NodeJS.ErrnoException).code})`;
    throw new ConfigError([{ path, file, message }]);
  }
  return inPlace({ path, file }, () => decode(bytes));
}

function inPlace<T>(place: { path: string; file?: string }, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new ConfigError([{ ...place, message: (cause as Error).message }], { cause });
  }
}

/** What cannot be asked may have revoked anything. */
async function revokedNow(path: string | undefined, { logger }: NodeVerifierHost): Promise<RevokedKeys> {
  if (path === undefined) return { has: () => false };
  try {
    return readRevokedKeys(await readFile(path));
  } catch (cause) {
    logger.error('The list of revoked SSH keys cannot be used; nobody is attested by sshpop', {
      path,
      error: (cause as Error).message,
    });
    throw new IssuerError('unavailable', 'sshpop: the server cannot tell which keys are revoked', { cause });
  }
}

function pathOf(template: string): AgentPathTemplate {
  try {
    return new AgentPathTemplate(template, PATH_FIELDS);
  } catch (error) {
    throw new ConfigError([{ path: 'agent_path_template', message: (error as Error).message }]);
  }
}
