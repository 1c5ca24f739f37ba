import { z } from 'zod';
import { singleBlock } from '../config/blocks.ts';

const path = z.string().regex(/^\/[^?#\s]*$/, 'must be a path that starts with /');
const port = z
  .union([z.int(), z.string().regex(/^\d{1,5}$/, 'must be a port number')])
  .transform(Number)
  .pipe(z.int().min(0).max(65_535));

/** The `health_checks` block, with SPIRE's names and defaults. */
export const healthChecksSchema = singleBlock(
  z
    .strictObject({
      listener_enabled: z.boolean().default(false),
      bind_address: z.string().min(1).default('localhost'),
      bind_port: port.default(80),
      live_path: path.default('/live'),
      ready_path: path.default('/ready'),
    })
    .refine((block) => block.live_path !== block.ready_path, {
      path: ['ready_path'],
      message: 'must be another path than live_path',
    }),
);

/** The block as read. */
export type HealthCheckSettings = z.infer<typeof healthChecksSchema>;
