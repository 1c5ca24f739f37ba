// Every method of the Server API with an empty request: who is refused at the door, and who is let in to be told more.
import type { DescService } from '@bufbuild/protobuf';
import { outcome } from './outcome.ts';
import { type ServerApi, services } from './server-api.ts';

type AnyCall = (request: unknown, options: object) => Promise<unknown> | AsyncIterable<unknown>;

async function firstOf(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream) return;
}

async function* nothing(): AsyncGenerator<object> {
  yield {};
}

/** Outcome by full method name. */
export async function callAll(api: ServerApi): Promise<Map<string, string>> {
  const outcomes = new Map<string, string>();
  for (const [name, service] of Object.entries(services) as [keyof typeof services, DescService][]) {
    for (const method of service.methods) {
      const call = (api[name] as unknown as Record<string, AnyCall>)[method.localName] as AnyCall;
      const request = method.methodKind === 'bidi_streaming' ? nothing() : {};
      const answer = call(request, { deadline: 10 });
      const done = Symbol.asyncIterator in answer ? firstOf(answer) : answer;
      outcomes.set(`/${service.typeName}/${method.name}`, await outcome(done));
    }
  }
  return outcomes;
}

/** Whether the door was shut. */
export const refused = (method: string, outcome: string): boolean =>
  outcome.startsWith(`PermissionDenied: authorization denied for method ${method}`);
