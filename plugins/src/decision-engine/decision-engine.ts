/** An entity by type and id, as policies name it: `AgentZT::Agent::"spiffe://example.org/a"`. */
export class EntityRef {
  readonly type: string;
  readonly id: string;

  constructor(type: string, id: string) {
    this.type = type;
    this.id = id;
  }
}

/** What policies compute with. Numbers are whole; lists are sets; `null` and fractions do not exist. */
export type PolicyValue =
  | boolean
  | number
  | string
  | EntityRef
  | readonly PolicyValue[]
  | { readonly [name: string]: PolicyValue };

export type PolicyRecord = Readonly<Record<string, PolicyValue>>;

export interface PolicyEntity {
  readonly ref: EntityRef;
  readonly attrs: PolicyRecord;
  /** The groups it is directly in. */
  readonly parents: readonly EntityRef[];
}

export interface DecisionRequest {
  readonly principal: EntityRef;
  /** Its id alone; the type is that of the schema's namespace. */
  readonly action: string;
  readonly resource: EntityRef;
  readonly context: PolicyRecord;
  /** Whatever the policies may look at: principal, resource, and the groups above them. */
  readonly entities: readonly PolicyEntity[];
}

export interface Decision {
  readonly effect: 'allow' | 'deny';
  /** What decided, sorted: the permits of an allowed request, the forbids of a denied one; none if nothing permits. */
  readonly policyIds: readonly string[];
  /** Why no decision could be made; the effect is then `deny`, whatever else is said. */
  readonly error?: string;
}

/** Decides by one set of policies, which never changes. */
export interface DecisionPoint {
  /** Never throws: what cannot be decided is denied. */
  decide(request: DecisionRequest): Decision;
}

export interface PolicySource {
  /** In Cedar's human-readable format, with one namespace. */
  readonly schema: string;
  /** One policy each, by the id that decisions name. */
  readonly policies: Readonly<Record<string, string>>;
}

/** Makes decision points out of policies. */
export interface DecisionEngine {
  /** The name and version that decisions are recorded with, such as `cedar-4.13.0`. */
  readonly version: string;
  /** @throws {PolicyError} with everything that is wrong; the schema is checked strictly */
  load(source: PolicySource): DecisionPoint;
}

export interface PolicyProblem {
  /** Undefined for a problem of the schema. */
  readonly policyId?: string | undefined;
  readonly message: string;
  /** What the author may have meant. */
  readonly help?: string | undefined;
}

export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  readonly problems: readonly PolicyProblem[];

  constructor(problems: readonly PolicyProblem[]) {
    super(
      problems
        .map(({ policyId, message, help }) => [policyId ?? 'schema', message, help].filter(Boolean).join(': '))
        .join('\n'),
    );
    this.problems = problems;
  }
}

export const denied = (error: string): Decision => ({ effect: 'deny', policyIds: [], error });
