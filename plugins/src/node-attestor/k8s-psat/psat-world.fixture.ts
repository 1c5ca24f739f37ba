import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkValue } from '@steeple/daemon/config';
import { BundleSet } from '@steeple/spiffe';
import { FakeClock, MemoryLogger, type TempDir, tempDir } from '@steeple/test-kit';
import { HOME } from '../../datastore/contract-samples.ts';
import type { NodeVerifierHost } from '../../plugin.ts';
import { attest, ChannelPair } from '../channel-for-tests.ts';
import { k8sPsatProver, k8sPsatVerifier } from '../k8s-psat.ts';
import type { NodeProver, NodeVerifier } from '../node-attestor.ts';
import { NOW, type TestCluster, testCluster } from './cluster.fixture.ts';

/** A cluster `demo`, and both halves of the attestor made as a server and an agent make them. */
export class PsatWorld implements AsyncDisposable {
  readonly cluster: TestCluster;
  /** Of the last verifier. */
  clock = new FakeClock(NOW);
  logger = new MemoryLogger();
  readonly #dir: TempDir;

  private constructor(dir: TempDir, cluster: TestCluster) {
    this.#dir = dir;
    this.cluster = cluster;
  }

  static async open(): Promise<PsatWorld> {
    const world = new PsatWorld(await tempDir(), await testCluster());
    await world.put('kubeconfig', world.cluster.kubeconfig);
    return world;
  }

  path(name: string): string {
    return join(this.#dir.path, name);
  }

  async put(name: string, text: string): Promise<string> {
    await writeFile(this.path(name), text);
    return this.path(name);
  }

  /** @throws {ConfigError} */
  async configured(config: unknown): Promise<NodeVerifier> {
    this.clock = new FakeClock(NOW);
    this.logger = new MemoryLogger();
    const joinTokens = {} as NodeVerifierHost['joinTokens'];
    const host = { clock: this.clock, logger: this.logger, trustDomain: HOME, bundles: new BundleSet(), joinTokens };
    return k8sPsatVerifier.create(checkValue(k8sPsatVerifier.schema, config), host);
  }

  verifier(more: object = {}): Promise<NodeVerifier> {
    const demo = {
      service_account_allow_list: ['spire:spire-agent'],
      kube_config_file: this.path('kubeconfig'),
      ...more,
    };
    return this.configured({ clusters: { demo } });
  }

  async prover(token: string, cluster = 'demo'): Promise<NodeProver> {
    const host = { clock: this.clock, logger: this.logger, trustDomain: HOME };
    return k8sPsatProver.create({ cluster, token_path: await this.put('token', token) }, host);
  }

  async attest(token: string, more: object = {}, peerAddress?: string) {
    const pair = new ChannelPair(peerAddress === undefined ? {} : { peerAddress });
    const { agentId, selectors } = await attest(await this.prover(token), await this.verifier(more), pair);
    return { path: agentId.path, selectors: selectors.map(({ value }) => value) };
  }

  /** While the work runs, the API gives this answer. */
  async answering(path: string, answer: unknown, work: () => Promise<void>): Promise<void> {
    this.cluster.answers.set(path, answer);
    await work().finally(() => this.cluster.answers.delete(path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
    await this.#dir[Symbol.asyncDispose]();
  }
}
