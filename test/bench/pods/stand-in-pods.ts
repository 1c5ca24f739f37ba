// Pods as a kubelet lists them, with what usually stands in one.
import { createHash, randomUUID } from 'node:crypto';

export interface StandInPod {
  readonly uid: string;
  readonly containerId: string;
  readonly json: object;
}

const hex = (text: string): string => createHash('sha256').update(text).digest('hex');
const TIME = '2026-11-25T18:08:04Z';

export function standInPod(index: number): StandInPod {
  const uid = randomUUID();
  const containerId = hex(uid);
  const app = `service-${index % 40}`;
  const names = [app, 'proxy'];
  const digest = `registry.example.test/team/${app}@sha256:${hex(app)}`;
  return {
    uid,
    containerId,
    json: {
      metadata: {
        name: `${app}-6f8497c4b6-${uid.slice(0, 5)}`,
        generateName: `${app}-6f8497c4b6-`,
        namespace: 'shop',
        uid,
        resourceVersion: `${283_000 + index}`,
        generation: 1,
        creationTimestamp: TIME,
        labels: { app, 'pod-template-hash': '6f8497c4b6', 'app.kubernetes.io/version': '1.2.3', tier: 'backend' },
        annotations: { 'kubernetes.io/config.seen': TIME, 'kubernetes.io/config.source': 'api', 'team/owner': app },
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${app}-6f8497c4b6`, uid: randomUUID(), controller: true },
        ],
        managedFields: ['kube-controller-manager', 'kubelet'].map((manager) => ({
          manager,
          operation: 'Update',
          apiVersion: 'v1',
          time: TIME,
          fieldsType: 'FieldsV1',
          fieldsV1: Object.fromEntries(Array.from({ length: 24 }, (_, field) => [`f:field-${field}`, { '.': {} }])),
        })),
      },
      spec: {
        volumes: ['config', 'cache', 'kube-api-access-vdsvs'].map((name) => ({ name, emptyDir: {} })),
        containers: names.map((name) => containerSpec(name, app)),
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: 30,
        dnsPolicy: 'ClusterFirst',
        serviceAccountName: app,
        serviceAccount: app,
        nodeName: 'node1',
        schedulerName: 'default-scheduler',
        tolerations: ['not-ready', 'unreachable'].map((key) => ({
          key: `node.kubernetes.io/${key}`,
          operator: 'Exists',
          effect: 'NoExecute',
          tolerationSeconds: 300,
        })),
      },
      status: {
        phase: 'Running',
        conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(
          (type) => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: TIME }),
        ),
        hostIP: '10.77.0.1',
        podIP: `10.77.1.${index}`,
        startTime: TIME,
        qosClass: 'Burstable',
        containerStatuses: names.map((name, at) => ({
          name,
          state: { running: { startedAt: TIME } },
          ready: true,
          restartCount: 0,
          started: true,
          image: `registry.example.test/team/${app}:1.2.3`,
          imageID: digest,
          containerID: `containerd://${at === 0 ? containerId : hex(`${uid}${name}`)}`,
        })),
      },
    },
  };
}

function containerSpec(name: string, app: string): object {
  const probe = { httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' }, timeoutSeconds: 1, periodSeconds: 10 };
  return {
    name,
    image: `registry.example.test/team/${app}:1.2.3`,
    args: ['--listen', ':8080', '--log-level', 'info'],
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
    env: Array.from({ length: 12 }, (_, at) => ({
      name: `SETTING_${at}`,
      value: `https://${app}.shop.svc:8443/${at}`,
    })),
    resources: { limits: { cpu: '500m', memory: '256Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
    volumeMounts: ['config', 'cache', 'kube-api-access-vdsvs'].map((volume) => ({
      name: volume,
      readOnly: true,
      mountPath: `/var/run/${volume}`,
    })),
    livenessProbe: probe,
    readinessProbe: probe,
    terminationMessagePath: '/dev/termination-log',
    securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  };
}
