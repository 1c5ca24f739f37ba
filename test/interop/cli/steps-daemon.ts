import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { agent, type Step, server } from './step.ts';

const outside = { ownSocket: true } as const;
/** The programs word their complaints about a file differently; whether they complain must be the same. */
const outcome = { ownSocket: true, compare: 'outcome' } as const;

const serverFlags =
  '-bindAddress 127.0.0.1 -serverPort 9999 -dataDir {dir} -logFile {dir}/log -logFormat json -logLevel warn -trustDomain flag.test -socketPath {dir}/flag.sock -expandEnv -logSourceLocation=false';

const agentFlags =
  '-dataDir {dir} -joinToken t -logFile {dir}/log -logFormat json -logLevel warn -serverAddress 127.0.0.1 -serverPort 9999 -trustDomain flag.test -socketPath {dir}/flags/flag.sock -expandEnv -disableSDSAPI -disableWorkloadAPI=false -allowUnauthenticatedVerifiers -trustBundleFormat pem -rebootstrapMode never -rebootstrapDelay 5m -logSourceLocation=false';

/** `run` and `validate`, up to where a daemon would start. */
export const daemonSteps: readonly Step[] = [
  async ({ dir, server: { config }, agent: unit }) => {
    const text = await readFile(config, 'utf8');
    await writeFile(join(dir, 'unknown.conf'), text.replace('server {', 'server {\n  no_such_setting = 1'));
    await writeFile(join(dir, 'no-domain.conf'), text.replace(/trust_domain.*/, ''));
    await writeFile(join(dir, 'no-data.conf'), text.replace(/data_dir.*/, ''));
    await writeFile(join(dir, 'no-plugins.conf'), text.replace(/\nplugins[\s\S]*/, '\n'));
    await writeFile(join(dir, 'broken.conf'), 'server {');
    const agentText = await readFile(unit.config, 'utf8');
    await writeFile(join(dir, 'no-address.conf'), agentText.replace(/server_address.*/, ''));
    await writeFile(
      join(dir, 'token.conf'),
      agentText.replace('agent {', `agent {\n  join_token_file = "${dir}/none"`),
    );
    await writeFile(
      join(dir, 'by-token.conf'),
      agentText.replace(/NodeAttestor "x509pop" \{[\s\S]*?\n  \}/, 'NodeAttestor "join_token" { plugin_data {} }'),
    );
    await writeFile(join(dir, 'no-trust.conf'), agentText.replace(/trust_bundle_path.*/, ''));
  },
  server('validate -config {serverConfig}', outside),
  server(`validate -config {serverConfig} ${serverFlags}`, outside),
  server('validate -config {dir}/missing.conf', outside),
  server('validate -config {dir}/unknown.conf', outcome),
  server('validate -config {dir}/no-domain.conf', outside),
  server('validate -config {dir}/no-domain.conf -trustDomain flag.test', outside),
  server('validate -config {dir}/no-data.conf', outside),
  server('validate -config {dir}/no-plugins.conf', outside),
  server('validate -config {dir}/broken.conf', outcome),
  server('validate -unknown', outside),
  server('validate -serverPort x', outside),
  server('run -config {dir}/missing.conf', outside),
  server(`run -config {dir}/missing.conf ${serverFlags}`, outside),
  server('run -config {dir}/unknown.conf', { ownSocket: true, compare: 'code' }),
  server('run -config {dir}/no-domain.conf', outside),
  server('run -config {dir}/no-data.conf', outside),
  server('run -unknown', outside),
  agent('validate -config {agentConfig}', outside),
  agent(`validate -config {dir}/by-token.conf ${agentFlags}`, outside),
  agent('validate -config {agentConfig} -joinTokenFile {dir}/none', outcome),
  agent('validate -config {agentConfig} -insecureBootstrap', outcome),
  agent('validate -config {dir}/no-trust.conf', outcome),
  agent('validate -config {dir}/no-trust.conf -trustBundle {dir}/other.pem', outside),
  agent('validate -config {dir}/no-trust.conf -trustBundleUrl https://127.0.0.1/bundle.pem', outside),
  agent('validate -config {dir}/no-trust.conf -insecureBootstrap', outside),
  agent('validate -config {dir}/no-address.conf', outside),
  agent('validate -config {dir}/token.conf', outcome),
  agent('validate -config {dir}/missing.conf', outside),
  agent('validate -unknown', outside),
  agent('run -config {dir}/missing.conf', outside),
  agent(
    `run -config {dir}/missing.conf ${agentFlags} -joinTokenFile x -trustBundle x -trustBundleUrl x -insecureBootstrap`,
    outside,
  ),
  agent('run -config {dir}/no-address.conf', outside),
  agent('run -unknown', outside),
];
