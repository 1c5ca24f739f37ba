import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ConfigError } from '@steeple/daemon';
import { type Certificate, parseCertificatesPem } from '@steeple/spiffe';
import { z } from 'zod';
import type { PluginDefinition } from '../plugin.ts';
import { detectTpm, requireTpmPath } from './tpm-devid/device.ts';
import { TpmDevIdProver } from './tpm-devid/prover.ts';
import { TpmDevIdVerifier } from './tpm-devid/verifier.ts';

const NAME = 'tpm_devid';

const verifierSchema = z.strictObject({
  devid_ca_path: z.string().min(1),
  endorsement_ca_path: z.string().min(1),
});

export const tpmDevIdVerifier: PluginDefinition<'node-verifier', z.infer<typeof verifierSchema>> = {
  kind: 'node-verifier',
  name: NAME,
  schema: verifierSchema,
  create: async (config, host) =>
    new TpmDevIdVerifier({
      trustDomain: host.trustDomain,
      trust: {
        devIdRoots: await readAuthorities('devid_ca_path', config.devid_ca_path),
        endorsementRoots: await readAuthorities('endorsement_ca_path', config.endorsement_ca_path),
        now: () => host.clock.now(),
      },
      random: randomBytes,
    }),
};

const proverSchema = z.strictObject({
  devid_cert_path: z.string().min(1),
  devid_priv_path: z.string().min(1),
  devid_pub_path: z.string().min(1),
  /** By default the only TPM in /dev. */
  tpm_device_path: z.string().min(1).optional(),
  devid_password: z.string().default(''),
  owner_hierarchy_password: z.string().default(''),
  endorsement_hierarchy_password: z.string().default(''),
});

export const tpmDevIdProver: PluginDefinition<'node-prover', z.infer<typeof proverSchema>> = {
  kind: 'node-prover',
  name: NAME,
  schema: proverSchema,
  create: async (config, host) =>
    new TpmDevIdProver({
      device: await (config.tpm_device_path === undefined ? detectTpm() : requireTpmPath(config.tpm_device_path)),
      files: {
        certificatePath: config.devid_cert_path,
        privateBlobPath: config.devid_priv_path,
        publicBlobPath: config.devid_pub_path,
      },
      passwords: {
        owner: Buffer.from(config.owner_hierarchy_password),
        endorsement: Buffer.from(config.endorsement_hierarchy_password),
        devId: Buffer.from(config.devid_password),
      },
      logger: host.logger,
    }),
};

async function readAuthorities(key: string, path: string): Promise<readonly Certificate[]> {
  const problem = (message: string) => new ConfigError([{ path: key, file: path, message }]);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw problem(`the CA certificates cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  let roots: readonly Certificate[];
  try {
    roots = parseCertificatesPem(text);
  } catch (error) {
    throw problem(`the file holds a broken certificate: ${(error as Error).message}`);
  }
  if (roots.length === 0) throw problem('the file holds no certificate in PEM');
  return roots;
}
