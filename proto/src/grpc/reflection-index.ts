import { type DescFile, type DescMessage, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';

/** Encoded file descriptors: a file first, then everything it imports. */
export interface FileIndex {
  byName(name: string): Uint8Array[] | undefined;
  /** Full name of a message, enum, service or method, without a leading dot. */
  bySymbol(symbol: string): Uint8Array[] | undefined;
}

export function indexFiles(roots: readonly DescFile[]): FileIndex {
  const files = new Set(roots.flatMap(withImports));
  const names = new Map([...files].map((file) => [file.proto.name, file]));
  const symbols = new Map([...files].flatMap((file) => symbolsOf(file).map((symbol) => [symbol, file] as const)));
  const encoded = (file: DescFile | undefined): Uint8Array[] | undefined =>
    file && withImports(file).map((each) => toBinary(FileDescriptorProtoSchema, each.proto));
  return { byName: (name) => encoded(names.get(name)), bySymbol: (symbol) => encoded(symbols.get(symbol)) };
}

function withImports(file: DescFile): DescFile[] {
  return [...new Set([file, ...file.dependencies.flatMap(withImports)])];
}

function symbolsOf(file: DescFile): string[] {
  const ofMessage = (message: DescMessage): string[] => [
    message.typeName,
    ...message.nestedEnums.map((nested) => nested.typeName),
    ...message.nestedMessages.flatMap(ofMessage),
  ];
  return [
    ...file.enums.map((each) => each.typeName),
    ...file.messages.flatMap(ofMessage),
    ...file.services.flatMap((service) => [
      service.typeName,
      ...service.methods.map((method) => `${service.typeName}.${method.name}`),
    ]),
  ];
}
