import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseEndpointAddress } from '@steeple/client';
import { ConfigError } from '@steeple/daemon';
import { type Certificate, parseCertificatesPem } from '@steeple/spiffe';
import { z } from 'zod';
import type { NodeVerifierHost, PluginDefinition } from '../plugin.ts';
import { AgentPathTemplate } from './agent-path-template.ts';
import { PATH_FIELDS } from './x509pop/certificate-facts.ts';
import { keyPairFromFiles, keyPairFromWorkloadApi } from './x509pop/key-pair.ts';
import { X509popProver } from './x509pop/prover.ts';
import { publicKeyInfrastructure, svidsUnder } from './x509pop/trust.ts';
import { type CertificateTrust, X509popVerifier } from './x509pop/verifier.ts';

const NAME = 'x509pop';
const DEFAULT_PATH = {
  external_pki: '{{ .PluginName }}/{{ .Fingerprint }}',
  spiffe: '{{ .PluginName }}/{{ .SVIDPathTrimmed }}',
};

/** As many as a path may have between leaf and root, with the most that verification goes through. */
const MAX_INTERMEDIATES = 9;

/** Empty: every SVID of the trust domain may attest. */
const svidPrefix = z.string().regex(/^(?:\/.*)?$/, 'must start with "/"');

const verifierSchema = z
  .strictObject({
    /** Whether certificates come from configured authorities or are SVIDs of this trust domain. */
    mode: z.enum(['external_pki', 'spiffe']).default('external_pki'),
    ca_bundle_path: z.string().min(1).optional(),
    ca_bundle_paths: z.array(z.string().min(1)).min(1).optional(),
    agent_path_template: z.string().min(1).optional(),
    max_intermediates: z.int().min(1).max(MAX_INTERMEDIATES).default(4),
    /** In bits. */
    max_rsa_key_size: z.int().min(2048).max(8192).default(8192),
    verify_client_ip: z.boolean().default(false),
    /** Mode `spiffe`: where in the trust domain the SVIDs are that may attest. SPIRE's code has this name, */
    spiffe_prefix: svidPrefix.optional(),
    /** and its documentation this one. */
    svid_prefix: svidPrefix.optional(),
  })
  .refine(
    (c) => c.ca_bundle_path === undefined || c.ca_bundle_paths === undefined,
    'set only one of "ca_bundle_path" and "ca_bundle_paths"',
  )
  .refine(
    (c) => c.mode !== 'external_pki' || (c.ca_bundle_path ?? c.ca_bundle_paths) !== undefined,
    'mode "external_pki" needs "ca_bundle_path" or "ca_bundle_paths"',
  )
  .refine(
    (c) => c.mode !== 'spiffe' || (c.ca_bundle_path ?? c.ca_bundle_paths) === undefined,
    'mode "spiffe" takes the bundle of the trust domain: leave out "ca_bundle_path"',
  )
  .refine(
    (c) => c.spiffe_prefix === undefined || c.svid_prefix === undefined,
    'set only one of "spiffe_prefix" and "svid_prefix"',
  );
type VerifierConfig = z.infer<typeof verifierSchema>;

export const x509popVerifier: PluginDefinition<'node-verifier', VerifierConfig> = {
  kind: 'node-verifier',
  name: NAME,
  schema: verifierSchema,
  create: async (config, host) =>
    new X509popVerifier({
      trustDomain: host.trustDomain,
      trust: await trustOf(config, host),
      agentPath: pathOf(config.agent_path_template ?? DEFAULT_PATH[config.mode]),
      maxIntermediates: config.max_intermediates,
      maxRsaKeySize: config.max_rsa_key_size,
      verifyClientIp: config.verify_client_ip,
      random: randomBytes,
    }),
};

const proverSchema = z
  .strictObject({
    private_key_path: z.string().min(1).optional(),
    certificate_path: z.string().min(1).optional(),
    intermediates_path: z.string().min(1).optional(),
    /** Another agent's Workload API, whose SVID is shown instead of files. */
    spiffe_endpoint_socket: z.string().min(1).optional(),
  })
  .refine(
    (c) => c.spiffe_endpoint_socket !== undefined || (c.private_key_path ?? c.certificate_path) !== undefined,
    'needs "private_key_path" and "certificate_path", or "spiffe_endpoint_socket"',
  )
  .refine(
    (c) => (c.private_key_path === undefined) === (c.certificate_path === undefined),
    '"private_key_path" and "certificate_path" belong together',
  )
  .refine(
    (c) => c.spiffe_endpoint_socket === undefined || (c.certificate_path ?? c.intermediates_path) === undefined,
    'set "spiffe_endpoint_socket" or files, not both',
  );

export const x509popProver: PluginDefinition<'node-prover', z.infer<typeof proverSchema>> = {
  kind: 'node-prover',
  name: NAME,
  schema: proverSchema,
  create: async (config) => {
    const { spiffe_endpoint_socket: address, intermediates_path: intermediatesPath } = config;
    if (address !== undefined) {
      requireEndpoint(address);
      return new X509popProver((signal) => keyPairFromWorkloadApi(address, { signal }));
    }
    const { private_key_path: privateKeyPath = '', certificate_path: certificatePath = '' } = config;
    return new X509popProver(() => keyPairFromFiles({ privateKeyPath, certificatePath, intermediatesPath }));
  },
};

function requireEndpoint(address: string): void {
  try {
    parseEndpointAddress(address);
  } catch (cause) {
    throw new ConfigError([{ path: 'spiffe_endpoint_socket', message: (cause as Error).message }], { cause });
  }
}

async function trustOf(config: VerifierConfig, host: NodeVerifierHost): Promise<CertificateTrust> {
  const now = () => host.clock.now();
  if (config.mode === 'spiffe') {
    const prefix = config.spiffe_prefix ?? config.svid_prefix ?? '/spire-exchange/';
    return svidsUnder(prefix, host.trustDomain, host.bundles, now);
  }
  const paths = config.ca_bundle_paths ?? [config.ca_bundle_path ?? ''];
  const roots = await Promise.all(paths.map(readAuthorities));
  return publicKeyInfrastructure(roots.flat(), now);
}

async function readAuthorities(path: string): Promise<readonly Certificate[]> {
  const problem = (message: string) => new ConfigError([{ path: 'ca_bundle_path', file: path, message }]);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw problem(`the CA bundle cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  let roots: readonly Certificate[];
  try {
    roots = parseCertificatesPem(text);
  } catch (error) {
    throw problem(`the CA bundle holds a broken certificate: ${(error as Error).message}`);
  }
  if (roots.length === 0) throw problem('the CA bundle holds no certificate in PEM');
  return roots;
}

function pathOf(template: string): AgentPathTemplate {
  try {
    return new AgentPathTemplate(template, PATH_FIELDS);
  } catch (error) {
    throw new ConfigError([{ path: 'agent_path_template', message: (error as Error).message }]);
  }
}
