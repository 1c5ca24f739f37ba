import { IssuerError } from '../../../core/src/errors.ts';
import { locateContainer } from '../../../plugins/src/workload-attestor/container/locate-container.ts';
import { mutateBytes } from '../mutate-bytes.ts';
import { attempt, Finding, type Target } from '../target.ts';

const ID = '0123456789abcdef'.repeat(4);
const OTHER = 'fedcba9876543210'.repeat(4);
const POD = '1b7c7f5e-1d53-4d2b-8a51-0f3f0a5c9d11';
const PATHS = [
  `/docker/${ID}`,
  `/system.slice/docker-${ID}.scope`,
  `/kubepods/burstable/pod${POD}/${ID}`,
  `/kubepods.slice/kubepods-pod${POD.replaceAll('-', '_')}.slice/cri-containerd-${ID}.scope`,
  `/machine.slice/machine-libpod_pod_${OTHER}.slice/libpod-${ID}.scope/container`,
  `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope`,
  `/docker/${OTHER}/docker/${ID}`,
  `/../../pod${POD}/${ID}`,
  '/',
];
const samples = PATHS.flatMap((path) => [`0::${path}\n`, `9:name=systemd:${path}\n4:memory:${path}\n0::${path}\n`]);
const WORDS = [
  ID,
  OTHER,
  `/${OTHER}`,
  `pod${POD}`,
  '/libpod-',
  'conmon-',
  '/..',
  '.scope',
  '\n0::/',
  ':',
  'user@0.service',
];
const LIE = `1 2 0:3 /docker/${'9'.repeat(64)} /sys/fs/cgroup ro - cgroup2 cgroup rw\n`;

/** A container is the last that its path names, whatever stands around it; mounts never name one. */
export const container: Target = {
  name: 'control groups of a container',
  share: 0.02,
  stricter: [],
  make: (random) =>
    mutateBytes(
      samples.map((sample) => Buffer.from(sample)),
      WORDS,
      random,
    ),
  judge(input) {
    const text = Buffer.from(input).toString('latin1');
    const found = attempt(() => locateContainer(text, ''), IssuerError);
    const lied = attempt(() => locateContainer(text, LIE), IssuerError);
    if ('value' in lied && lied.value?.containerId.startsWith('9')) throw new Finding('mounts are believed');
    if ('refusal' in found) return { accepted: false, refusal: found.refusal };
    if (found.value === undefined) {
      if ('value' in lied) throw new Finding('what only mounts say is passed over');
      return { accepted: false, refusal: 'none' };
    }
    const { containerId, podUid } = found.value;
    const lines = text.split('\n').filter((line) => line.includes(containerId));
    if (!/^[0-9a-f]{64}$/.test(containerId) || lines.length === 0) throw new Finding('the id stands nowhere');
    for (const line of lines) {
      const after = line.slice(line.lastIndexOf(containerId) + 64);
      if (/(?:\/|-|:)[0-9a-f]{64}(?:\.scope)?(?:\/|$)/.test(after.replaceAll(/[^/]*conmon-[^/]*/g, ''))) {
        throw new Finding('another container is named further inside');
      }
    }
    if (podUid !== undefined && !text.replaceAll('_', '-').includes(`pod${podUid}`)) throw new Finding('no such pod');
    return { accepted: true };
  },
};
