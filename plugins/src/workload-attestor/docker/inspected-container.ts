import { z } from 'zod';

/** What an engine says of a container. */
export interface InspectedContainer {
  readonly id: string;
  readonly running: boolean;
  /** Of its first process, in the engine's pid namespace; 0 if it has none. */
  readonly pid: number;
  /** The digest of the image's configuration, `sha256:…`; not necessarily what the name stands for by now. */
  readonly imageDigest: string | undefined;
  /** As it was typed when the container was made. */
  readonly imageName: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `NAME=value`; may hold secrets. */
  readonly environment: readonly string[];
}

const schema = z.object({
  Id: z.string(),
  Image: z.string().optional(),
  State: z.object({ Running: z.boolean(), Pid: z.int().min(0) }),
  Config: z.object({
    Image: z.string().optional(),
    Labels: z.record(z.string(), z.string()).nullish(),
    Env: z.array(z.string()).nullish(),
  }),
});

/** Reads the answer to `GET /containers/{id}/json`. `refusal` makes the error of what is wrong, which quotes nothing. */
export function parseContainer(body: string, refusal: (what: string) => Error): InspectedContainer {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw refusal('something that is not JSON');
  }
  const { data, error } = schema.safeParse(value);
  if (data === undefined) {
    const field = error.issues[0]?.path.slice(0, 2).join('.') || 'object';
    throw refusal(`a container without a usable ${field}`);
  }
  const { Id, Image, State, Config } = data;
  return {
    id: Id,
    running: State.Running,
    pid: State.Pid,
    imageDigest: digestOf(Image),
    imageName: Config.Image ?? '',
    labels: Config.Labels ?? {},
    environment: Config.Env ?? [],
  };
}

/** Podman leaves out the algorithm at some places. */
function digestOf(image: string | undefined): string | undefined {
  const [, digest] = /^(?:sha256:)?([0-9a-f]{64})$/.exec(image ?? '') ?? [];
  return digest === undefined ? undefined : `sha256:${digest}`;
}
