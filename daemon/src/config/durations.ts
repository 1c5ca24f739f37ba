import { z } from 'zod';
import { parseDuration } from './duration.ts';

/** A setting written as a Go duration (`"1h"`), in seconds afterwards. Must not be negative. */
export const duration: z.ZodType<number, string> = z.string().transform((text, context) => {
  try {
    const seconds = parseDuration(text);
    if (seconds >= 0) return seconds;
    context.addIssue({ code: 'custom', message: 'duration must not be negative' });
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
  }
  return z.NEVER;
});
