import { readFile } from 'node:fs/promises';
import { ConfigError } from '@steeple/daemon';
import { type Certificate, parseCertificatesPem } from '@steeple/spiffe';
import { z } from 'zod';
import { AgentPathTemplate, type TemplateFields } from '../agent-path-template.ts';

/** The address of a service. Plain http is for the machine itself and for tests; where it leads is the operator's word. */
export const httpAddress: z.ZodType<URL, string> = z
  .string()
  .refine(
    (text) => URL.canParse(text) && /^https?:\/\/[^/?#@]+\/?$/.test(text),
    'must be an http(s) address without a path',
  )
  .transform((text) => new URL(text));

/** @throws {ConfigError} naming `agent_path_template` */
export function agentPathOf(template: string, fields: TemplateFields): AgentPathTemplate {
  try {
    return new AgentPathTemplate(template, fields);
  } catch (error) {
    throw new ConfigError([{ path: 'agent_path_template', message: (error as Error).message }]);
  }
}

/**
 * The certificates of a PEM file, at least one.
 *
 * @throws {ConfigError} naming the setting and the file
 */
export async function certificatesIn(setting: string, file: string): Promise<readonly Certificate[]> {
  const problem = (message: string) => new ConfigError([{ path: setting, file, message }]);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw problem(`cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  let certificates: readonly Certificate[];
  try {
    certificates = parseCertificatesPem(text);
  } catch (error) {
    throw problem(`holds a broken certificate: ${(error as Error).message}`);
  }
  if (certificates.length === 0) throw problem('holds no certificate in PEM');
  return certificates;
}
