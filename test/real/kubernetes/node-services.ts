// What makes a machine a node of the cluster: container engine, kubelet, and the proxy for Services.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Process } from '../../stack/process.ts';
import { type ClusterParts, FEATURE_GATES, flags } from './control-plane.ts';

export async function startContainerd({ folder, namespaces, address }: ClusterParts): Promise<Process> {
  const networks = join(folder, 'cni');
  await mkdir(networks, { recursive: true });
  const subnet = `${address.replace(/\d+$/, '0')}/24`;
  const ipam = { type: 'host-local', ranges: [[{ subnet }]], routes: [{ dst: '0.0.0.0/0' }] };
  const bridge = { type: 'bridge', bridge: 'cni0', isGateway: true, ipam };
  const network = { cniVersion: '0.4.0', name: 'pods', plugins: [bridge] };
  await writeFile(join(networks, '10-pods.conflist'), JSON.stringify(network));
  const config = join(folder, 'containerd.toml');
  await writeFile(
    config,
    `version = 2
disabled_plugins = ["io.containerd.internal.v1.opt"]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${networks}"
`,
  );
  return namespaces.start('containerd', 'containerd', ['--config', config]);
}

export interface KubeletOptions {
  readonly kubeconfig: string;
  /** Of its own, in `/proc/<pid>/cgroup`. */
  readonly cgroupRoot: string;
  /** Where files become static pods. */
  readonly manifests: string;
}

export async function startKubelet(parts: ClusterParts, options: KubeletOptions): Promise<Process> {
  const { folder, programs, namespaces, certificates: made, address, nodeName } = parts;
  await mkdir(options.manifests, { recursive: true });
  await writeFile(join(folder, 'resolv.conf'), '');
  const config = {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    cgroupDriver: 'cgroupfs',
    cgroupRoot: options.cgroupRoot,
    failCgroupV1: false,
    failSwapOn: false,
    makeIPTablesUtilChains: false,
    readOnlyPort: 10255,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true, cacheTTL: '1s' },
      x509: { clientCAFile: made.ca },
    },
    authorization: { mode: 'Webhook', webhook: { cacheAuthorizedTTL: '1s', cacheUnauthorizedTTL: '1s' } },
    tlsCertFile: made.certificate('kubelet'),
    tlsPrivateKeyFile: made.key('kubelet'),
    staticPodPath: options.manifests,
    fileCheckFrequency: '1s',
    volumePluginDir: join(folder, 'flex'),
    resolvConf: join(folder, 'resolv.conf'),
    evictionHard: {
      'memory.available': '50Mi',
      'nodefs.available': '1%',
      'imagefs.available': '1%',
      'nodefs.inodesFree': '1%',
    },
    imageGCHighThresholdPercent: 100,
    featureGates: Object.fromEntries(FEATURE_GATES.split(',').map((gate) => [gate.split('=')[0], true])),
  };
  const file = join(folder, 'kubelet.yaml');
  await writeFile(file, JSON.stringify(config, null, 2));
  const { kubeconfig } = options;
  const args = flags({ config: file, kubeconfig, 'hostname-override': nodeName, 'node-ip': address });
  return namespaces.start('kubelet', join(programs, 'kubelet'), args);
}

export function startProxy(parts: ClusterParts, kubeconfig: string): Process {
  const { programs, namespaces, nodeName, address } = parts;
  const args = flags({
    kubeconfig,
    'hostname-override': nodeName,
    'proxy-mode': 'nftables',
    'cluster-cidr': `${address.replace(/\d+$/, '0')}/24`,
    'conntrack-max-per-core': '0',
  });
  return namespaces.start('proxy', join(programs, 'kube-proxy'), args);
}
