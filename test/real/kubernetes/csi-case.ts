import { chmod, copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Case, ensure } from '../../interop/case.ts';
import { csiRegistrar, spiffeCsiDriver } from '../../interop/peers/third-party.ts';
import type { Cluster } from './cluster.ts';
import { type Deployed, MANIFESTS } from './deployed.ts';
import { saying } from './saying.ts';

/** The socket as a volume of its own, by the SPIFFE project's CSI driver. */
export function csiCase(cluster: Cluster, deployed: () => Promise<Deployed>): Case {
  return {
    name: 'a workload gets its SVID through a socket that the SPIFFE CSI driver mounts, also after the agent was restarted',
    run: async () => {
      const images = {
        'ghcr.io/spiffe/spiffe-csi-driver:0.2.12': await spiffeCsiDriver(),
        'registry.k8s.io/sig-storage/csi-node-driver-registrar:v2.17.0': await csiRegistrar(),
      };
      for (const [name, program] of Object.entries(images)) await loadProgram(cluster, name, program);
      await throughTheDriver(cluster, await deployed());
    },
  };
}

async function throughTheDriver(cluster: Cluster, deployed: Deployed): Promise<void> {
  await deployed.createEntry('spiffe://example.org/by-csi', ['k8s:ns:default', 'k8s:pod-name:workload-csi'], 20);
  await cluster.kubectl(['apply', '-f', `${MANIFESTS}/csi-driver.yaml`]);
  await deployed.kubectl('rollout', 'status', 'daemonset/spiffe-csi-driver', '--timeout=60s');
  await cluster.kubectl(['apply', '-f', `${MANIFESTS}/example/workload-csi.yaml`]);
  try {
    const identity = /spiffe:\/\/example\.org\/by-csi\b/g;
    const before = await saying(cluster, 'workload-csi', identity);
    await deployed.restart('daemonset/steeple-agent');
    // The watch comes back by itself, with another SVID each time.
    const count = before.match(identity)?.length ?? 0;
    const after = await saying(cluster, 'workload-csi', new RegExp(`(?:${identity.source}[^]*){${count + 2}}`));
    ensure((after.match(identity)?.length ?? 0) > count, 'another SVID after the restart');
  } finally {
    await cluster.kubectl(['delete', 'pod/workload-csi', '--grace-period=0', '--force']);
  }
}

async function loadProgram(cluster: Cluster, name: string, program: string): Promise<void> {
  const root = join(cluster.folder, 'csi-image', name.replaceAll(/\W/g, '-'));
  await mkdir(root, { recursive: true });
  await copyFile(program, join(root, 'program'));
  await chmod(join(root, 'program'), 0o755);
  await cluster.loadImage(root, { name, command: [], entrypoint: ['/program'] });
}
