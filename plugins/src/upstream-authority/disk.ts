import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { PluginDefinition } from '../plugin.ts';
import { DiskAuthority } from './disk/disk-authority.ts';

const path = z.string().min(1, "'cert_file_path' and 'key_file_path' must be set and not empty");

const schema = z
  .strictObject({ cert_file_path: path, key_file_path: path, bundle_file_path: z.string().optional() })
  .transform(({ cert_file_path, key_file_path, bundle_file_path }) => ({
    certificate: resolve(cert_file_path),
    key: resolve(key_file_path),
    // Empty means unset, as in SPIRE.
    bundle: bundle_file_path ? resolve(bundle_file_path) : undefined,
  }));

export const diskUpstream: PluginDefinition<'upstream-authority', z.infer<typeof schema>> = {
  kind: 'upstream-authority',
  name: 'disk',
  schema,
  create: (paths, { trustDomain, clock, logger }) =>
    DiskAuthority.open({ paths, trustDomain, clock, logger, random: randomBytes }),
};
