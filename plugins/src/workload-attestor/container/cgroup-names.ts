/** What the name of a control group says of a container. */
export interface NamedContainer {
  readonly containerId: string;
  /** Whether podman has made the group. */
  readonly podman: boolean;
}

/**
 * The container whose group has this name: its id alone, or with the engine's name before it, or as a scope of systemd's
 * (`docker-<id>.scope`, `cri-containerd-<id>.scope`, `kubepods-…-pod<uid>.slice:cri-containerd:<id>`, `libpod-<id>`).
 * The groups of the monitors beside the containers are none of them.
 */
export function containerIn(name: string): NamedContainer | undefined {
  const [, before = '', containerId] = /^([\w.:-]*[-:])?([0-9a-f]{64})(?:\.scope)?$/.exec(name) ?? [];
  if (containerId === undefined || before.endsWith('conmon-')) return undefined;
  return { containerId, podman: before.startsWith('libpod-') };
}

const POD =
  /(?:^|-)pod([0-9a-f]{32}|[0-9a-f]{8}([-_])[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{12})(?:\.slice)?$/;

/** The pod whose group has this name, as the kubelet writes it; systemd allows no dashes there. */
export function podIn(name: string): string | undefined {
  // Where engine and kubelet disagree about systemd, the container's name follows in the same one.
  return POD.exec(name.split(':')[0] ?? '')?.[1]?.replaceAll('_', '-');
}
