import { randomBytes } from 'node:crypto';
import { get } from 'node:http';
import { createLogger, silentLogger, systemClock } from '@steeple/daemon';
import { BundleSet, TrustDomain } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { IN_MEMORY } from '../datastore/sqlite/open.ts';
import { SqliteDatastore } from '../datastore/sqlite/sqlite-datastore.ts';
import { attest, ChannelPair } from './channel-for-tests.ts';
import { networksOf } from './http-challenge/addresses.ts';
import { hostNamesOf } from './http-challenge/host-names.ts';
import { HttpChallengeProver, type HttpChallengeProverOptions } from './http-challenge/prover.ts';
import { HttpChallengeVerifier, type HttpChallengeVerifierOptions } from './http-challenge/verifier.ts';
import { httpChallengeProver, httpChallengeVerifier } from './http-challenge.ts';
import { nodeAttestorContract } from './node-attestor.contract.ts';

const HOME = TrustDomain.parse('example.org');
const NAME = 'node-1.example.org';

const verifier = (options: Partial<HttpChallengeVerifierOptions> = {}) =>
  new HttpChallengeVerifier({
    trustDomain: HOME,
    hostNames: hostNamesOf([]),
    networks: networksOf(['127.0.0.0/8']),
    requiredPort: undefined,
    allowNonRootPorts: true,
    tofu: true,
    patience: 10,
    resolver: async () => [{ address: '127.0.0.1', family: 4 }],
    random: randomBytes,
    logger: silentLogger,
    ...options,
  });
const prover = (options: Partial<HttpChallengeProverOptions> = {}) =>
  new HttpChallengeProver({ hostname: NAME, agentName: 'default', port: 0, ...options });
const text = (data: Uint8Array | undefined) => Buffer.from(data ?? []).toString();

/** Status and text under a path, or the error's code. */
const ask = (port: number, path: string, method = 'GET') =>
  new Promise<string>((resolve) => {
    get({ port, path, method, agent: false }, (response) => {
      void response.toArray().then((parts) => resolve(`${response.statusCode} ${Buffer.concat(parts).toString()}`));
    }).on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
  });

describe('http_challenge', () => {
  nodeAttestorContract(async () => ({ prover: prover(), verifier: verifier() }));

  it('names the agent by its host name', async () => {
    const node = await attest(prover(), verifier());
    expect(node.agentId.toString()).toBe(`spiffe://example.org/spire/agent/http_challenge/${NAME}`);
    expect(node.selectors).toEqual([{ type: 'http_challenge', value: `hostname:${NAME}` }]);
    expect(node).toMatchObject({ canReattest: false });
    expect(node.admit).toBeUndefined();
    expect((await attest(prover(), verifier({ tofu: false }))).canReattest).toBe(true);
  });

  it('speaks the messages of SPIRE, byte for byte', async () => {
    const pair = new ChannelPair();
    const random = () => Buffer.alloc(32, 0xfb);
    await attest(prover({ agentName: 'a2' }), verifier({ random }), pair);
    const [payload, challenge, response] = pair.said.map(({ data }) => text(data));
    expect(payload).toMatch(/^{"hostname":"node-1\.example\.org","agentname":"a2","port":\d+}$/);
    expect(challenge).toBe(`{"nonce":"${'-_v7'.repeat(10)}-_s="}`);
    expect(response).toBe('\n');
  });
});

describe("the agent's listener", () => {
  /** A conversation that was opened and not yet challenged. */
  async function open(options: Partial<HttpChallengeProverOptions> = {}) {
    const pair = new ChannelPair();
    const over = new AbortController();
    const proving = prover(options).prove(pair.agent, over.signal);
    proving.catch(() => undefined);
    const { port } = JSON.parse(text(await pair.server.receive())) as { port: number };
    return { pair, over, proving, port };
  }
  const PATH = '/.well-known/spiffe/nodeattestor/http_challenge/default/challenge';
  const NONCE = 'A'.repeat(43);

  it('has the nonce under one path, until the conversation is over', async () => {
    const { pair, over, proving, port } = await open();
    expect(await ask(port, PATH)).toMatch(/^404/);
    await pair.server.send(Buffer.from(`{"nonce":"${NONCE}="}`));
    await proving;
    expect(await ask(port, PATH)).toBe(`200 ${NONCE}=\n`);
    expect(await ask(port, PATH, 'HEAD')).toBe('200 ');
    for (const path of ['/', `${PATH}/`, `${PATH}?x`, PATH.replace('default', 'other'), `/x/..${PATH}`]) {
      expect(await ask(port, path), path).toMatch(/^404/);
    }
    expect(await ask(port, PATH, 'POST')).toMatch(/^404/);
    over.abort();
    expect(await ask(port, PATH)).toBe('ECONNREFUSED');
  });

  it.each([
    '{}',
    'null',
    'x',
    '{"nonce":""}',
    '{"nonce":"<script>alert(1)</script>"}',
    `{"nonce":"${'A'.repeat(61)}"}`,
    `{"nonce":"${'A'.repeat(20)}\\n"}`,
    '{"nonce":["A"]}',
  ])('serves nothing for the challenge %j', async (challenge) => {
    const { pair, proving, port } = await open();
    await pair.server.send(Buffer.from(challenge));
    await expect(proving).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(await ask(port, PATH)).toBe('ECONNREFUSED');
  });

  it('ends when it is told to, and when the server goes away', async () => {
    const stopped = await open();
    stopped.over.abort(new Error('shutting down'));
    expect(await ask(stopped.port, PATH)).toBe('ECONNREFUSED');
    const left = await open();
    left.pair.close();
    await expect(left.proving).rejects.toThrow('over');
    expect(await ask(left.port, PATH)).toBe('ECONNREFUSED');
  });

  it('says which port it cannot have, and tells the server the advertised one', async () => {
    const { port, over } = await open();
    const second = prover({ port }).prove(new ChannelPair().agent, new AbortController().signal);
    await expect(second).rejects.toMatchObject({
      code: 'unavailable',
      message: `http_challenge: cannot listen on port ${port} (EADDRINUSE)`,
    });
    over.abort();
    const behindProxy = await open({ advertisedPort: 80 });
    expect(behindProxy.port).toBe(80);
    behindProxy.over.abort();
  });
});

describe('http_challenge configuration', () => {
  const host = {
    logger: silentLogger,
    clock: systemClock,
    trustDomain: HOME,
    bundles: new BundleSet(),
    joinTokens: SqliteDatastore.open(IN_MEMORY, silentLogger).joinTokens,
  };
  const server = httpChallengeVerifier.schema;

  it.each([
    { tofu: false },
    { tofu: false, allow_non_root_ports: true },
    { tofu: false, required_port: 1024 },
    { tofu: false, required_port: 8080, allow_non_root_ports: false },
    { required_port: 0 },
    { required_port: 65_536 },
    { allowed_networks: [] },
    { agent_path_template: 'x' },
  ])('of the server: %j is refused', (config) => {
    expect(server.safeParse(config).success).toBe(false);
  });

  it.each([
    { tofu: false, required_port: 80 },
    { tofu: false, allow_non_root_ports: false },
    { tofu: false, required_port: 1023, allow_non_root_ports: true },
  ])('of the server: %j is fine', (config) => {
    expect(server.safeParse(config).success).toBe(true);
  });

  it.each([
    [{ allowed_dns_patterns: ['('] }, 'allowed_dns_patterns'],
    [{ allowed_dns_patterns: ['a(?=b)'] }, 'allowed_dns_patterns'],
    [{ allowed_networks: ['10.0.0.0'] }, 'no network'],
    [{ allowed_networks: ['10.0.0.0/33'] }, 'no network'],
    [{ allowed_networks: ['::/129'] }, 'no network'],
    [{ allowed_networks: ['example.org/8'] }, 'no network'],
  ])('of the server: %j is refused when it is used', async (config, message) => {
    await expect(httpChallengeVerifier.create(server.parse(config), host)).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining(message),
    });
  });

  it('of the server: warns if strangers choose whom it asks', async () => {
    let log = '';
    const logger = createLogger({ format: 'text', level: 'info', write: (line) => (log += line), now: () => 0 });
    for (const config of [{ allowed_dns_patterns: ['a'] }, { allowed_networks: ['10.0.0.0/8'] }]) {
      await httpChallengeVerifier.create(server.parse(config), { ...host, logger });
    }
    expect(log).toBe('');
    await httpChallengeVerifier.create(server.parse({}), { ...host, logger });
    expect(log).toContain('allowed_dns_patterns');
  });

  it('of the agent', async () => {
    const agent = httpChallengeProver.schema;
    for (const config of [
      { hostname: '127.0.0.1' },
      { hostname: 'a/b' },
      { agentname: '../x' },
      { agentname: 'a.b' },
      { agentname: 'a'.repeat(33) },
      { port: 65_536 },
      { agent_name: 'x' },
    ]) {
      expect(agent.safeParse(config).success, JSON.stringify(config)).toBe(false);
    }
    const made = await httpChallengeProver.create(agent.parse({ hostname: NAME }), host);
    await attest(made, verifier());
  });
});
