import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { toJson } from '@bufbuild/protobuf';
import { UserError } from '../exit.ts';
import { text } from '../flags.ts';
import type { CliContext, Options } from '../verb.ts';

export type Format = 'table' | 'wide' | 'json' | 'yaml';
const formats: readonly string[] = ['table', 'wide', 'json', 'yaml'];

export function formatOf(options: Options): Format {
  const format = text(options, 'output') ?? 'table';
  if (formats.includes(format)) return format as Format;
  throw new UserError(`--output: '${format}' is not a format`, `use one of ${formats.join(', ')}`);
}

/** Prints a message as JSON or YAML with the field names of its .proto file, or as text for people. */
export async function print<D extends DescMessage>(
  context: CliContext,
  options: Options,
  schema: D,
  message: MessageShape<D>,
  readable: (look: { readonly wide: boolean; readonly colour: boolean }) => string,
): Promise<void> {
  const format = formatOf(options);
  if (format === 'table' || format === 'wide') {
    const lines = readable({ wide: format === 'wide', colour: context.colour });
    if (lines !== '') context.out(lines);
    return;
  }
  const json = toJson(schema, message, { useProtoFieldName: true, alwaysEmitImplicit: true });
  await printValue(context, format, json);
}

export async function printValue(context: CliContext, format: 'json' | 'yaml', value: unknown): Promise<void> {
  if (format === 'json') context.out(JSON.stringify(value));
  else context.out((await import('yaml')).stringify(value).trimEnd());
}
