/** What a template computes with. Undefined is Go's missing key of a map: it can be replaced, but not printed. */
export type GoValue =
  | string
  | number
  | boolean
  | undefined
  | readonly GoValue[]
  | ReadonlyMap<string, string>
  | GoStruct;

/** What a field of a structure holds: a scalar, a map of texts, a structure, or a list of texts or structures. */
export type FieldKind = 'text' | 'flag' | 'number' | 'texts' | 'map' | StructType | readonly [StructType];

export interface StructType {
  readonly name: string;
  /** By the name in Go: the name in JSON, and what it holds. */
  readonly fields: Readonly<Record<string, readonly [json: string, kind: FieldKind]>>;
}

/** A JSON object seen as a Go structure: fields that it lacks have their zero value. */
export class GoStruct {
  readonly type: StructType;
  readonly #json: Readonly<Record<string, unknown>>;

  constructor(type: StructType, json: unknown) {
    this.type = type;
    this.#json = isRecord(json) ? json : {};
  }

  /** Undefined: the structure has no such field. */
  get(name: string): { readonly value: GoValue } | undefined {
    const field = Object.hasOwn(this.type.fields, name) ? this.type.fields[name] : undefined;
    if (field === undefined) return undefined;
    const [json, kind] = field;
    return { value: read(kind, Object.hasOwn(this.#json, json) ? this.#json[json] : undefined) };
  }
}

const read = (kind: FieldKind, json: unknown): GoValue => {
  if (kind === 'text') return typeof json === 'string' ? json : '';
  if (kind === 'flag') return json === true;
  if (kind === 'number') return typeof json === 'number' ? json : 0;
  if (kind === 'texts') return Array.isArray(json) ? json.filter((one) => typeof one === 'string') : [];
  if (kind === 'map') return new Map(Object.entries(isRecord(json) ? json : {}).filter(isTextPair));
  if (Array.isArray(kind)) return Array.isArray(json) ? json.map((one) => new GoStruct(kind[0], one)) : [];
  return new GoStruct(kind as StructType, json);
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTextPair = (pair: [string, unknown]): pair is [string, string] => typeof pair[1] === 'string';

/** Go's truth: neither missing nor zero nor empty. */
export const isTrue = (value: GoValue): boolean => {
  if (value === undefined) return false;
  if (value instanceof GoStruct) return true;
  if (value instanceof Map) return value.size > 0;
  if (Array.isArray(value)) return value.length > 0;
  return Boolean(value);
};

export const typeName = (value: GoValue): string => {
  if (value === undefined) return 'a missing value';
  if (value instanceof GoStruct) return value.type.name;
  if (value instanceof Map) return 'a map';
  if (Array.isArray(value)) return 'a list';
  return { string: 'a text', number: 'a number', boolean: 'true or false' }[typeof value as 'string'];
};
