import { IssuerError, type SelectorMatch } from '@steeple/core';
import type { Parameter } from './database.ts';

/** Grows a WHERE clause with its parameters. */
export class Conditions {
  readonly #parts: string[] = [];
  readonly parameters: Record<string, Parameter> = {};

  /** `column = value`, unless the value is undefined. */
  equal(column: string, value: string | boolean | undefined): this {
    if (value === undefined) return this;
    return this.add(`${column} = ?`, typeof value === 'boolean' ? Number(value) : value);
  }

  /** A condition with one `?`. */
  add(sql: string, value: Parameter): this {
    const name = `p${this.#parts.length}`;
    this.#parts.push(sql.replaceAll('?', `@${name}`));
    this.parameters[name] = value;
    return this;
  }

  /** Adds a condition that needs no parameter. */
  addIf(condition: boolean, sql: string): this {
    if (condition) this.#parts.push(sql);
    return this;
  }

  /**
   * The record's members in a child table relate to `wanted` as `match` says. A record with no members matches nothing.
   *
   * @throws {IssuerError} `invalid-argument` with `whenEmpty` if nothing is wanted
   */
  members(table: string, wanted: readonly string[] | undefined, match: SelectorMatch = 'any', whenEmpty = ''): this {
    if (wanted === undefined) return this;
    const distinct = [...new Set(wanted)];
    if (distinct.length === 0) throw new IssuerError('invalid-argument', whenEmpty);
    const all = `(SELECT count(*) FROM ${table} a WHERE a.owner = m.owner)`;
    const having = {
      any: 'TRUE',
      subset: `count(*) = ${all}`,
      superset: `count(*) = json_array_length(?)`,
      exact: `count(*) = json_array_length(?) AND count(*) = ${all}`,
    }[match];
    return this.add(
      `row IN (SELECT m.owner FROM ${table} m WHERE m.member IN (SELECT value FROM json_each(?))
       GROUP BY m.owner HAVING ${having})`,
      JSON.stringify(distinct),
    );
  }

  toString(): string {
    return this.#parts.length === 0 ? 'TRUE' : this.#parts.join(' AND ');
  }
}
