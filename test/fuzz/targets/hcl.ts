import { isDeepStrictEqual } from 'node:util';
import { ConfigError } from '@steeple/daemon';
import { parseConfig } from '@steeple/daemon/config';
import { mutateBytes } from '../mutate-bytes.ts';
import { ACCEPTED, attempt, Finding, type Target } from '../target.ts';

const SAMPLES = [
  'server {\n  bind_address = "127.0.0.1"\n  bind_port = 8081\n  ratelimit { attestation = false }\n}\n',
  'plugins {\n  DataStore "sql" { plugin_data { database_type = "sqlite3" } }\n  KeyManager "memory" { plugin_data {} }\n}\n',
  '# a\n// b\n/* c */\na = [1, -2.5, 0x1F, 1e3, "x\\"\\n\\u00e9", true,]\nb = <<EOT\nline\nEOT\nc = <<-E\n  x\n  E\n',
  '{"server": {"trust_domain": "a.test", "n": [1, {"x": null}]}}',
  'a "b" "c" { d = "${e}" f { g = {} } }',
].map((text) => Buffer.from(text));
const WORDS = [
  '{',
  '}',
  '=',
  '"',
  '<<',
  '<<-E\n',
  'E\n',
  '/*',
  '*/',
  '#',
  '[',
  ']',
  ',',
  '${',
  '$',
  '\\',
  '0x',
  '-',
  'true',
];

/** No second reader of HCL 1 in this language: what is held against it is its own value, written as JSON. */
export const hcl: Target = {
  name: 'HCL configuration',
  share: 0.1,
  stricter: [],
  make: (random) => mutateBytes(SAMPLES, WORDS, random),
  judge(input, random) {
    const environment = random.once(2) ? { e: 'value' } : undefined;
    const read = attempt(
      () => parseConfig(input, 'hcl', environment === undefined ? {} : { expandEnv: environment }),
      ConfigError,
    );
    if ('refusal' in read) return { accepted: false, refusal: read.refusal.replace(/^\S*\d+:\d+: /, '') };
    const { value } = read.value;
    const again = attempt(() => parseConfig(JSON.stringify(value), 'json').value, ConfigError);
    // A block is a list of objects, so as JSON it may be one level too deep.
    if ('refusal' in again && again.refusal.includes('nested deeper')) return ACCEPTED;
    if (!('value' in again)) throw new Finding(`its value cannot be read as JSON: ${again.refusal}`);
    if (!isDeepStrictEqual(again.value, value)) throw new Finding('its value reads differently as JSON');
    return ACCEPTED;
  },
};
