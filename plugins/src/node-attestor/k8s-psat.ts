import type { z } from 'zod';
import type { PluginDefinition } from '../plugin.ts';
import { Clusters } from './k8s-psat/clusters.ts';
import { PsatProver } from './k8s-psat/prover.ts';
import { proverSchema, type VerifierConfig, verifierSchema } from './k8s-psat/settings.ts';
import { PsatVerifier } from './k8s-psat/verifier.ts';

const NAME = 'k8s_psat';
const DEFAULT_TOKEN_PATH = '/var/run/secrets/tokens/spire-agent';

export const k8sPsatVerifier: PluginDefinition<'node-verifier', VerifierConfig> = {
  kind: 'node-verifier',
  name: NAME,
  schema: verifierSchema,
  create: async (config, { trustDomain, clock, logger }) =>
    new PsatVerifier({ trustDomain, clusters: await Clusters.open(config, { clock, logger }), logger }),
};

export const k8sPsatProver: PluginDefinition<'node-prover', z.infer<typeof proverSchema>> = {
  kind: 'node-prover',
  name: NAME,
  schema: proverSchema,
  create: async ({ cluster, token_path: tokenPath }) =>
    new PsatProver({ cluster, tokenPath: tokenPath || DEFAULT_TOKEN_PATH }),
};
