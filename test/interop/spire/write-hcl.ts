// Configuration as SPIRE's users write it: HCL 1, with a label on each plugin.

export type Block = { readonly [name: string]: Value };
type Value = string | number | boolean | readonly (string | number)[] | Block;

const isBlock = (value: Value): value is Block => typeof value === 'object' && !Array.isArray(value);

/** A block's lines. */
export function hcl(block: Block, indent = ''): string {
  const lines = Object.entries(block).map(([name, value]) =>
    isBlock(value)
      ? `${indent}${name} {\n${hcl(value, `${indent}  `)}${indent}}\n`
      : `${indent}${name} = ${JSON.stringify(value)}\n`,
  );
  return lines.join('');
}

/** Plugins by kind and name, with their data. */
export type Plugins = Readonly<Record<string, Readonly<Record<string, Block>>>>;

export function pluginsHcl(plugins: Plugins): string {
  const blocks = Object.entries(plugins).flatMap(([kind, named]) =>
    Object.entries(named).map(
      ([name, data]) => `  ${kind} "${name}" {\n    plugin_data {\n${hcl(data, '      ')}    }\n  }\n`,
    ),
  );
  return `plugins {\n${blocks.join('')}}\n`;
}
