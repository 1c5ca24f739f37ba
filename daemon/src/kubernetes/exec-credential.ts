import { execFile } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { KubernetesError } from './kubernetes-error.ts';

/** The user's `exec` of a kubeconfig: a program that tells a token or a certificate, as clouds have it. */
const execSchema = z.looseObject({
  apiVersion: z.enum(['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']),
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.looseObject({ name: z.string().min(1), value: z.string() })).nullish(),
  provideClusterInfo: z.literal(false, 'is not supported').nullish(),
  interactiveMode: z.enum(['Never', 'IfAvailable'], 'asks somebody, and nobody is there').nullish(),
});
type ExecSettings = z.infer<typeof execSchema>;

export interface ExecCredential {
  readonly token: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** Unix seconds; undefined: not told. */
  readonly expiresAt: number | undefined;
}

const answerSchema = z.looseObject({
  kind: z.literal('ExecCredential'),
  status: z.looseObject({
    token: z.string().min(1).optional(),
    clientCertificateData: z.string().min(1).optional(),
    clientKeyData: z.string().min(1).optional(),
    expirationTimestamp: z.string().optional(),
  }),
});

const LIMITS = { timeout: 30_000, maxBuffer: 1024 * 1024, killSignal: 'SIGKILL', encoding: 'utf8' } as const;

/** @throws {KubernetesError} `access`, naming the setting */
export function readExec(value: unknown): ExecSettings | undefined {
  if (value === undefined || value === null) return undefined;
  const read = execSchema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new KubernetesError('access', `user.${['exec', ...(issue?.path ?? [])].join('.')}: ${issue?.message}`);
}

/**
 * Runs the program. What it says is secret and is in no message; a name with a slash is relative to the kubeconfig.
 *
 * @throws {KubernetesError} `access`
 */
export async function runExecCredential(settings: ExecSettings, kubeconfig: string): Promise<ExecCredential> {
  const { command, args, env, apiVersion } = settings;
  const program = command.includes('/') ? resolve(dirname(kubeconfig), command) : command;
  const info = { kind: 'ExecCredential', apiVersion, spec: { interactive: false } };
  const environment = Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]));
  const options = { ...LIMITS, env: { ...process.env, ...environment, KUBERNETES_EXEC_INFO: JSON.stringify(info) } };
  const fault = (why: string) => new KubernetesError('access', `user.exec: ${command} ${why}`);
  const output = await new Promise<string>((fulfil, reject) => {
    const child = execFile(program, args ?? [], options, (error, stdout) => {
      if (!error) fulfil(stdout);
      else reject(fault(error.killed === true ? 'did not end within 30 s' : `failed (${String(error.code)})`));
    });
    child.stdin?.end();
  });
  let value: unknown;
  try {
    value = JSON.parse(output);
  } catch {
    throw fault('answered something that is not JSON');
  }
  const read = answerSchema.safeParse(value);
  if (!read.success) throw fault(`answered no usable ${read.error.issues[0]?.path.join('.') || 'ExecCredential'}`);
  const { token, clientCertificateData: certificate, clientKeyData: key, expirationTimestamp } = read.data.status;
  if (token === undefined && certificate === undefined) throw fault('answered neither a token nor a certificate');
  const expiry = expirationTimestamp === undefined ? undefined : Date.parse(expirationTimestamp) / 1000;
  if (Number.isNaN(expiry)) throw fault('answered no usable status.expirationTimestamp');
  return { token, certificate, key, expiresAt: expiry };
}
