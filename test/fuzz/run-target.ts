import { Random } from './random.ts';
import { Finding, type Target, type Verdict } from './target.ts';

/** What one run of a target came to. */
export interface Outcome {
  readonly target: string;
  readonly inputs: number;
  readonly accepted: number;
  readonly compared: number;
  /** Inputs by the known reason for which ours is stricter than the oracle. */
  readonly stricter: Readonly<Record<string, number>>;
  /** One of each kind. */
  readonly findings: readonly { readonly input: Uint8Array; readonly what: string }[];
}

/** Kinds of findings after which a target is left alone. */
const ENOUGH = 20;

/**
 * Feeds a target until all inputs are used up or too much is wrong.
 *
 * @param show told of each input before it is read, so that a hang has a name
 */
export async function runTarget(
  target: Target,
  run: { readonly seed: number; readonly inputs: number },
  show: (input: Uint8Array) => void,
): Promise<Outcome> {
  const random = new Random(run.seed);
  const stricter: Record<string, number> = {};
  const findings = new Map<string, Outcome['findings'][number]>();
  const tally = { target: target.name, inputs: 0, accepted: 0, compared: 0 };
  while (tally.inputs < run.inputs && findings.size < ENOUGH) {
    const input = target.make(random);
    show(input);
    tally.inputs += 1;
    try {
      const pending = target.judge(input, random);
      const verdict = pending instanceof Promise ? await pending : pending;
      if (verdict.accepted) tally.accepted += 1;
      if (verdict.oracle !== undefined) tally.compared += 1;
      const reason = disagreement(target, verdict);
      if (reason !== undefined) stricter[reason] = (stricter[reason] ?? 0) + 1;
    } catch (error) {
      const what = textOf(error);
      const kind = what.replaceAll(/\d+/g, '#');
      if (!findings.has(kind)) findings.set(kind, { input, what });
    }
  }
  return { ...tally, stricter, findings: [...findings.values()] };
}

/** Judges one input, the oracle always asked: what is wrong with it, if anything. */
export async function judgeOne(target: Target, input: Uint8Array): Promise<string | undefined> {
  try {
    disagreement(target, await target.judge(input, new Always()));
    return undefined;
  } catch (error) {
    return textOf(error);
  }
}

class Always extends Random {
  constructor() {
    super(0);
  }

  override once(): boolean {
    return true;
  }
}

/** The known reason of a disagreement; none if both agree. An unknown one is a finding. */
function disagreement(target: Target, { accepted, oracle, refusal = '' }: Verdict): string | undefined {
  if (oracle === undefined || oracle === accepted) return undefined;
  if (accepted) throw new Finding('accepted what the oracle refuses');
  const row = target.stricter.find(([begin]) => refusal.startsWith(begin));
  if (row === undefined) throw new Finding(`refused what the oracle accepts: ${refusal}`);
  return `${row[0]}: ${row[1]}`;
}

const textOf = (error: unknown): string =>
  error instanceof Finding ? error.message : String((error as Error).stack ?? error);
