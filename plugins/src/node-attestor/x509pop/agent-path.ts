import { IssuerError } from '@steeple/core';
import { SpiffeError, SpiffeId, type TrustDomain } from '@steeple/spiffe';

/** What a template may name. */
export interface AgentPathFacts {
  readonly pluginName: string;
  readonly trustDomain: string;
  /** SHA-1 of the leaf's DER, lower-case hex. */
  readonly fingerprint: string;
  readonly serialNumberHex: string;
  readonly commonName: string;
  /** Mode `spiffe` only: the SVID's path without the prefix. */
  readonly svidPathTrimmed: string;
  readonly uriSanSelectors: ReadonlyMap<string, string>;
}

type Part = string | ((facts: AgentPathFacts) => string | undefined);

const FIELDS: Readonly<Record<string, (facts: AgentPathFacts) => string | undefined>> = {
  PluginName: (facts) => facts.pluginName,
  TrustDomain: (facts) => facts.trustDomain,
  Fingerprint: (facts) => facts.fingerprint,
  SerialNumberHex: (facts) => facts.serialNumberHex,
  'Subject.CommonName': (facts) => facts.commonName,
  SVIDPathTrimmed: (facts) => facts.svidPathTrimmed,
};
const ACTION = /\{\{-?\s*(.*?)\s*-?\}\}/g;
const SAN_FIELD = /^URISanSelectors\.([A-Za-z0-9_]+)$|^index\s+\.URISanSelectors\s+"([^"]+)"$/;

/** A path of agents below `/spire/agent/`, with values of the certificate in `{{ .Field }}`. */
export class AgentPathTemplate {
  readonly #parts: readonly Part[];

  /** @throws {RangeError} for a field or function that does not exist; the message names it. */
  constructor(template: string) {
    const parts: Part[] = [];
    let end = 0;
    for (const match of template.matchAll(ACTION)) {
      parts.push(template.slice(end, match.index), field(match[1] ?? ''));
      end = match.index + match[0].length;
    }
    parts.push(template.slice(end));
    if (parts.some((part) => typeof part === 'string' && /\{\{|\}\}/.test(part))) {
      throw new RangeError('a "{{" or "}}" without its other half');
    }
    this.#parts = parts;
  }

  /**
   * The agent's SPIFFE ID.
   *
   * @throws {IssuerError} `permission-denied` if a value is missing, holds a slash (it would reach into other paths), or
   *   makes no path.
   */
  agentId(trustDomain: TrustDomain, facts: AgentPathFacts): SpiffeId {
    const path = this.#parts.map((part) => (typeof part === 'string' ? part : value(part, facts))).join('');
    try {
      return SpiffeId.of(trustDomain, `/spire/agent/${path.replace(/^\//, '')}`);
    } catch (cause) {
      if (!(cause instanceof SpiffeError)) throw cause;
      throw new IssuerError('permission-denied', 'x509pop: the certificate makes no valid agent path', { cause });
    }
  }
}

function field(action: string): Part {
  const known = Object.hasOwn(FIELDS, action.slice(1)) && action.startsWith('.') ? FIELDS[action.slice(1)] : undefined;
  if (known !== undefined) return known;
  const san = SAN_FIELD.exec(action.replace(/^\./, ''));
  const key = san?.[1] ?? san?.[2];
  if (key !== undefined) return (facts) => facts.uriSanSelectors.get(key);
  throw new RangeError(`unknown field "${action}"; there are ${Object.keys(FIELDS).join(', ')}, URISanSelectors.<key>`);
}

function value(part: Exclude<Part, string>, facts: AgentPathFacts): string {
  const text = part(facts);
  const mayHaveSlashes = part === FIELDS['SVIDPathTrimmed'];
  if (text === undefined || text === '' || (!mayHaveSlashes && text.includes('/'))) {
    throw new IssuerError('permission-denied', 'x509pop: the certificate lacks a value for the agent path');
  }
  return text;
}
