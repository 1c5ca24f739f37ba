// One request that goes to both servers, and what each made of it.
import { type JsonValue, toJson } from '@bufbuild/protobuf';
import { GrpcError, statusName } from '@steeple/proto/grpc';
import { type ServerApi, services } from '../spire/server-api.ts';

type Services = typeof services;
export type ServiceName = keyof Services;

export interface Request {
  readonly service: ServiceName;
  readonly method: string;
  readonly request: object;
  /** Why ours must answer otherwise. */
  readonly better?: string;
}

/** Something that one request cannot show, such as walking through pages; the result is compared. */
interface Walk {
  readonly name: string;
  readonly walk: (api: ServerApi) => Promise<JsonValue>;
  readonly better?: string;
}

export type Question = Request | Walk;

/** For lists of questions about one service. */
export const asking =
  (service: ServiceName) =>
  (method: string, request: object = {}, better?: string): Request => ({
    service,
    method,
    request,
    ...(better !== undefined && { better }),
  });

export const nameOf = (question: Question): string =>
  'walk' in question ? question.name : `${question.service}.${question.method} ${text(question.request)}`;

const text = (value: object): string => {
  const json = JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? String(one) : one));
  return json.length > 300 ? `${json.slice(0, 300)}… (${json.length} characters)` : json;
};

/** The answer or the status, without what differs from run to run. */
export async function answerOf(api: ServerApi, question: Question): Promise<string> {
  try {
    const answer = 'walk' in question ? await question.walk(api) : await ask(api, question);
    return masked(JSON.stringify(answer));
  } catch (error) {
    if (!(error instanceof GrpcError)) throw error;
    return masked(`${statusName(error.code)}: ${error.message}`);
  }
}

async function ask(api: ServerApi, { service, method, request }: Request): Promise<JsonValue> {
  const schema = services[service].methods.find(({ localName }) => localName === method);
  if (schema === undefined) throw new Error(`${service} has no method ${method}`);
  const client = api[service] as unknown as Record<string, (request: object, options: object) => Promise<never>>;
  const answer = await client[method]?.(request, { deadline: 30 });
  return toJson(schema.output, answer as never, { useProtoFieldName: true, alwaysEmitImplicit: true }) as JsonValue;
}

const MASKS: readonly (readonly [RegExp, string])[] = [
  [/[\w-]{16,}\.[\w-]{16,}\.[\w-]{16,}/g, '<TOKEN>'],
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<UUID>'],
  [/("(?:expires_at|created_at|issued_at|x509svid_expires_at)":)"[1-9]\d{8,}"/g, '$1<TIME>'],
  [/("(?:uptime|sequence_number)":)"?\d+"?/g, '$1<NUMBER>'],
  [/("next_page_token":)"[^"]+"/g, '$1<PAGE>'],
  [/("(?:asn1|public_key|key_id|authority_id)":)"[^"]*"/g, '$1<BYTES>'],
  [/("cert_chain":)\[[^\]]*\]/g, '$1[<BYTES>]'],
  [/SERIALNUMBER=\d+/g, 'SERIALNUMBER=<NUMBER>'],
];

/** Selectors are a set. */
const inOrder = (text: string): string =>
  text.replace(
    /"selectors":\[(\{[^\]]*\})\]/g,
    (_all, list: string) =>
      `"selectors":[${list
        .split(/(?<=\}),/)
        .toSorted()
        .join(',')}]`,
  );

const masked = (text: string): string =>
  MASKS.reduce((rest, [pattern, by]) => rest.replace(pattern, by), inOrder(text));
