import { z } from 'zod';
import { oneOrMany, singleBlock } from '../config/blocks.ts';

const text = z.string().min(1, 'must not be empty');
const unsupported = (hint: string) => z.custom((value) => value === undefined, hint).optional();

/** `host:port`, also `[::1]:8125`. */
const address = text.transform((value, context) => {
  const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(value) ?? [];
  const port = Number(digits);
  if (digits === undefined || port < 1 || port > 65_535) {
    context.addIssue({ code: 'custom', message: 'must be an address such as localhost:8125' });
    return z.NEVER;
  }
  return { host: bracketed ?? (plain || 'localhost'), port };
});

const collectors = oneOrMany(z.strictObject({ address }));

const tls = z.strictObject({
  cert_file: text.optional(),
  key_file: text.optional(),
  client_ca_file: text.optional(),
  use_spire_svid: z.boolean().default(false),
  authorized_spiffe_ids: oneOrMany(z.string().startsWith('spiffe://', 'must be a SPIFFE ID')),
});

/** The `telemetry` block, with SPIRE's names. */
export const telemetrySchema = singleBlock(
  z.strictObject({
    Prometheus: singleBlock(
      z.strictObject({
        host: text.default('localhost'),
        port: z.int().min(0).max(65_535),
        tls: singleBlock(tls.superRefine(checkTls)).optional(),
      }),
    ).optional(),
    Statsd: collectors,
    DogStatsd: collectors,
    M3: unsupported('M3 is not supported; use Prometheus, Statsd or DogStatsd'),
    InMem: unsupported('numbers are not kept in memory here; use Prometheus, Statsd or DogStatsd'),
    MetricPrefix: text.optional(),
    EnableTrustDomainLabel: z.boolean().default(false),
    EnableHostnameLabel: z.boolean().default(true),
    AllowedPrefixes: oneOrMany(text),
    BlockedPrefixes: oneOrMany(text),
    AllowedLabels: oneOrMany(text),
    BlockedLabels: oneOrMany(text),
  }),
);

/** The block as read. */
export type TelemetrySettings = z.infer<typeof telemetrySchema>;
export type PrometheusTls = z.infer<typeof tls>;

function checkTls(settings: PrometheusTls, context: z.RefinementCtx): void {
  const refuse = (key: keyof PrometheusTls, message: string): void =>
    context.addIssue({ code: 'custom', path: [key], message });
  const { cert_file: cert, key_file: key, use_spire_svid: svid } = settings;
  if (svid && (cert !== undefined || key !== undefined)) {
    refuse('use_spire_svid', 'cannot be used together with cert_file and key_file');
  }
  if (!svid && (cert === undefined || key === undefined)) {
    refuse(
      cert === undefined ? 'cert_file' : 'key_file',
      'cert_file and key_file are both needed without use_spire_svid',
    );
  }
  if (!svid && settings.authorized_spiffe_ids.length > 0) {
    refuse('authorized_spiffe_ids', 'needs use_spire_svid: a certificate from a file is not combined with it yet');
  }
  if (settings.client_ca_file !== undefined && settings.authorized_spiffe_ids.length > 0) {
    refuse('client_ca_file', 'cannot be used together with authorized_spiffe_ids');
  }
}
