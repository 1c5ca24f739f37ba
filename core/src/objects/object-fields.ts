/** What is wrong with one field of an object. */
export interface ObjectProblem {
  /** Such as `spec.spiffeID`. */
  readonly path: string;
  readonly message: string;
}

type Json = Readonly<Record<string, unknown>>;

/** Reads the fields of a JSON object and collects what is wrong with them; null counts as absent, as in Go. */
export class ObjectFields {
  readonly #json: Json;
  readonly #path: string;
  readonly #problems: ObjectProblem[];
  readonly #known = new Set<string>();

  constructor(value: unknown, path: string, problems: ObjectProblem[]) {
    this.#path = path;
    this.#problems = problems;
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    this.#json = isObject ? (value as Json) : {};
    if (!isObject) problems.push({ path, message: value === undefined ? 'is missing' : 'must be an object' });
  }

  /** '' when absent. */
  text(name: string): string {
    const value = this.#get(name);
    if (typeof value === 'string') return value;
    if (value !== undefined) this.refuse(name, 'must be a text');
    return '';
  }

  requiredText(name: string): string {
    if (this.#get(name) === undefined || this.#get(name) === '') this.refuse(name, 'is missing');
    return this.text(name);
  }

  texts(name: string): readonly string[] {
    const value = this.#get(name);
    if (value === undefined) return [];
    if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
    this.refuse(name, 'must be a list of texts');
    return [];
  }

  flag(name: string): boolean {
    const value = this.#get(name);
    if (value !== undefined && typeof value !== 'boolean') this.refuse(name, 'must be true or false');
    return value === true;
  }

  /** Undefined when absent. */
  value(name: string): unknown {
    return this.#get(name);
  }

  object(name: string): ObjectFields {
    return new ObjectFields(this.#get(name), this.path(name), this.#problems);
  }

  /** What `read` makes of the value; what it throws is the problem of the field. */
  parsed<T>(name: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.refuse(name, (error as Error).message);
      return undefined;
    }
  }

  refuse(name: string, message: string): void {
    this.#problems.push({ path: this.path(name), message });
  }

  /** Refuses fields that nobody asked for. */
  noOthers(): void {
    for (const name of Object.keys(this.#json)) {
      if (this.#known.has(name)) continue;
      const near = [...this.#known].find((known) => known.toLowerCase() === name.toLowerCase());
      this.refuse(name, near ? `is not known; did you mean ${near}?` : `is not known; remove it`);
    }
  }

  path(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }

  #get(name: string): unknown {
    this.#known.add(name);
    const value = Object.hasOwn(this.#json, name) ? this.#json[name] : undefined;
    return value === null ? undefined : value;
  }
}
