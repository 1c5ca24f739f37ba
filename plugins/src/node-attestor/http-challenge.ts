import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { ConfigError } from '@steeple/daemon';
import { z } from 'zod';
import type { PluginDefinition } from '../plugin.ts';
import { ANY_HARMLESS, networksOf } from './http-challenge/addresses.ts';
import { hostNamesOf, isHostName } from './http-challenge/host-names.ts';
import { isAgentName } from './http-challenge/messages.ts';
import { HttpChallengeProver } from './http-challenge/prover.ts';
import { systemResolver } from './http-challenge/resolve.ts';
import { HttpChallengeVerifier } from './http-challenge/verifier.ts';

const NAME = 'http_challenge';
/** Seconds. */
const PATIENCE = 10;

const port = z.int().min(1).max(65_535);

const verifierSchema = z
  .strictObject({
    /** Regular expressions; one must match the whole name. */
    allowed_dns_patterns: z.array(z.string().min(1)).default([]),
    required_port: port.optional(),
    allow_non_root_ports: z.boolean().default(true),
    tofu: z.boolean().default(true),
    /** Ours: the only networks in which agents may be. */
    allowed_networks: z.array(z.string().min(1)).min(1).optional(),
  })
  .refine(
    // Anybody on the node can open such a port.
    (c) => c.tofu || (c.required_port === undefined ? !c.allow_non_root_ports : c.required_port < 1024),
    'you can not turn off trust on first use (TOFU) when non-root ports are allowed',
  );
type VerifierConfig = z.infer<typeof verifierSchema>;

export const httpChallengeVerifier: PluginDefinition<'node-verifier', VerifierConfig> = {
  kind: 'node-verifier',
  name: NAME,
  schema: verifierSchema,
  create: async (config, host) => {
    if (config.allowed_dns_patterns.length === 0 && config.allowed_networks === undefined) {
      host.logger.warn(
        'http_challenge asks any host that a stranger names; set allowed_dns_patterns or allowed_networks',
      );
    }
    return new HttpChallengeVerifier({
      trustDomain: host.trustDomain,
      hostNames: readable('allowed_dns_patterns', () => hostNamesOf(config.allowed_dns_patterns)),
      networks: readable('allowed_networks', () =>
        config.allowed_networks === undefined ? ANY_HARMLESS : networksOf(config.allowed_networks),
      ),
      requiredPort: config.required_port,
      allowNonRootPorts: config.allow_non_root_ports,
      tofu: config.tofu,
      patience: PATIENCE,
      resolver: systemResolver,
      random: randomBytes,
      logger: host.logger,
    });
  },
};

const proverSchema = z.strictObject({
  hostname: z.string().refine(isHostName, 'must be a DNS name').optional(),
  agentname: z
    .string()
    .refine(isAgentName, 'must be a letter, then letters, digits and hyphens, 32 at most')
    .default('default'),
  /** Zero: any that is free. */
  port: z.int().min(0).max(65_535).default(0),
  /** Zero: as `port`. */
  advertised_port: z.int().min(0).max(65_535).default(0),
});

export const httpChallengeProver: PluginDefinition<'node-prover', z.infer<typeof proverSchema>> = {
  kind: 'node-prover',
  name: NAME,
  schema: proverSchema,
  create: async (config) =>
    new HttpChallengeProver({
      hostname: config.hostname ?? hostname(),
      agentName: config.agentname,
      port: config.port,
      advertisedPort: config.advertised_port === 0 ? undefined : config.advertised_port,
    }),
};

function readable<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new ConfigError([{ path, message: (cause as Error).message }], { cause });
  }
}
