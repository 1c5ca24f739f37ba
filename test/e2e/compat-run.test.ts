// SPIRE's programs as processes: their configuration files and flags start ours, and signals end them as they do theirs.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../cli/src/dev/free-port.ts';
import { Process } from '../stack/process.ts';
import { until } from './home.ts';

const root = new URL('../../', import.meta.url).pathname;
let dir: string;
let port: number;
const running: Process[] = [];

beforeAll(async () => {
  dir = await mkdtemp('/tmp/st-run-');
  port = await freePort();
  await writeFile(
    join(dir, 'server.conf'),
    `server {
  bind_address = "127.0.0.1"
  bind_port = "1"
  trust_domain = "from.file"
  data_dir = "$DATA"
  log_level = "ERROR"
  ratelimit { attestation = false }
}
plugins {
  DataStore "sql" { plugin_data { database_type = "sqlite3" connection_string = "${dir}/datastore.sqlite3" } }
  KeyManager "disk" { plugin_data_file = "${dir}/keys.conf" }
  NodeAttestor "join_token" { plugin_data {} }
}
`,
  );
  await writeFile(join(dir, 'keys.conf'), `keys_path = "${dir}/keys.json"\n`);
  await writeFile(
    join(dir, 'agent.conf'),
    `agent {
  trust_domain = "flag.test"
  server_address = "127.0.0.1"
  insecure_bootstrap = true
}
plugins {
  KeyManager "memory" { plugin_data {} }
  NodeAttestor "join_token" { plugin_data {} }
  WorkloadAttestor "unix" { plugin_data {} }
}
`,
  );
});
afterAll(async () => {
  for (const process of running.toReversed()) await process.stop('SIGTERM', 5);
  await rm(dir, { recursive: true, force: true });
});

const start = (program: 'spire-server' | 'spire-agent', ...words: string[]): Process => {
  const args = ['--disable-warning=ExperimentalWarning', join(root, `cli/src/bin/${program}.ts`), ...words];
  const process = new Process(program, globalThis.process.execPath, args, {
    cwd: dir,
    env: { PATH: globalThis.process.env['PATH'] ?? '', HOME: dir, DATA: join(dir, 'data') },
  });
  running.push(process);
  return process;
};

const run = async (program: 'spire-server' | 'spire-agent', ...words: string[]) => {
  const process = start(program, ...words);
  return { code: await process.ended, output: process.output };
};

describe('spire-server and spire-agent', () => {
  it('run with a file whose settings the flags override, serve each other, and end with exit code 0', async () => {
    const socket = join(dir, 'server.sock');
    const log = join(dir, 'server.log');
    const flags = ['-trustDomain', 'flag.test', '-serverPort', String(port), '-socketPath', socket];
    const logFlags = ['-logFile', log, '-logLevel', 'info', '-logFormat=json'];
    const server = start('spire-server', 'run', '-config', 'server.conf', '-expandEnv', ...flags, ...logFlags);
    const healthy = () => run('spire-server', 'healthcheck', '-socketPath', socket);
    await until(async () => (await healthy()).code === 0);
    expect((await healthy()).output).toBe('Server is healthy.\n');

    const token = /^Token: (\S+)$/m.exec(
      (await run('spire-server', 'token', 'generate', '-socketPath', socket)).output,
    );
    const api = join(dir, 'agent.sock');
    const agentFlags = ['-joinToken', token?.[1] ?? '', '-serverPort', String(port), '-socketPath', api];
    const agent = start('spire-agent', 'run', '-config', 'agent.conf', '-dataDir', join(dir, 'agent'), ...agentFlags);
    await until(async () => (await run('spire-agent', 'healthcheck', '-socketPath', api)).code === 0);
    const listed = await run('spire-server', 'agent', 'list', '-socketPath', socket);
    expect(listed.output).toMatch(
      /^Found 1 attested agent:\n\nSPIFFE ID {9}: spiffe:\/\/flag\.test\/spire\/agent\/join_token\//,
    );

    // Rotation of the log: the old lines move away, the next ones come in a new file.
    expect(await readFile(log, 'utf8')).toContain('"msg":"Server started"');
    await rename(log, `${log}.1`);
    server.child.kill('SIGUSR2');
    await until(() => existsSync(log));
    await until(async () => (await readFile(log, 'utf8')).includes('Log file opened anew'));

    // Node would open its debugger, and say so on standard error.
    server.child.kill('SIGUSR1');
    await until(async () => (await readFile(log, 'utf8')).includes('restart to apply them'));
    expect(server.output).toBe('');

    agent.child.kill('SIGTERM');
    expect(await agent.ended).toBe(0);
    server.child.kill('SIGINT');
    expect(await server.ended).toBe(0);
  });

  it('say what is wrong before anything is opened', async () => {
    expect(await run('spire-server', 'run', '-config', 'none.conf')).toEqual({
      code: 1,
      output: `could not find config file ${dir}/none.conf: please use the -config flag\n`,
    });
    expect(await run('spire-agent', 'run')).toEqual({
      code: 1,
      output: `could not find config file ${dir}/conf/agent/agent.conf: please use the -config flag\n`,
    });
    const full = await run('spire-server', 'run', '-config', 'server.conf', '-logFile', join(dir, 'none', 'x.log'));
    expect([full.code, full.output]).toEqual([1, expect.stringMatching(/log_file: .*cannot be opened/)]);
  });
});
