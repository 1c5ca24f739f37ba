import { docker } from './docker/docker.ts';
import { kubernetes } from './kubernetes/kubernetes.ts';
import { podman } from './podman/podman.ts';
import type { RealPart } from './real-part.ts';
import { ssh } from './ssh/ssh.ts';
import { systemd } from './systemd/systemd.ts';
import { tpm } from './tpm/tpm.ts';

/** In the order in which they run when none is named. */
export const parts: readonly RealPart[] = [docker, podman, kubernetes, systemd, tpm, ssh];
