import type { Outcome, Place } from './place.ts';

/** What differs from place to place without a difference in meaning, in this order. */
const MASKS: readonly (readonly [RegExp, string])[] = [
  // Their programs log to standard output.
  [/^time="[^"]*" level=warning .*\n/gm, ''],
  [/("private_key":)"(?:[^"\\]|\\.)*"/g, '$1"<BYTES>"'],
  [/("spiffe:\/\/[^"]*":)"[A-Za-z0-9+/=]{20,}"/g, '$1"<BYTES>"'],
  [/-----BEGIN ([A-Z ]+)-----[\s\S]*?-----END \1-----/g, '<$1>'],
  [/[\w-]{16,}\.[\w-]{16,}\.[\w-]{16,}/g, '<TOKEN>'],
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<UUID>'],
  [/\b[0-9a-f]{40}\b/g, '<HEX>'],
  [
    /("(?:asn1|public_key|private_key|x|y|n|d|kid|key_id|authority_id|x509_svid|x509_svid_key|bundle)":\s*)"[^"]*"/g,
    '$1"<BYTES>"',
  ],
  [/("(?:x5c|root_cas|x509_svid|cert_chain)":\s*)\[[^\]]*\]/g, '$1["<BYTES>"]'],
  [/(Authority ID: )\S+/g, '$1<ID>'],
  [/("(?:[a-z0-9_]*expires_at|created_at|issued_at|iat|exp|last_sync_success)":\s*)"?\d{9,}(?:\.\d+)?"?/g, '$1<TIME>'],
  [/("(?:uptime|sequence_number|spiffe_sequence|x509svid_serial_number)":\s*)"?\d+"?/g, '$1<NUMBER>'],
  [/\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?: [+-]\d{4} \S+|Z)/g, '<TIME>'],
  [/SERIALNUMBER=\d+/g, 'SERIALNUMBER=<NUMBER>'],
  [/(serialnumber:)[0-9a-f]+/g, '$1<HEX>'],
  [/(Serial number {5}: )\d+/g, '$1<NUMBER>'],
  [/(Uptime: +)\S+/g, '$1<DURATION>'],
  [/(svids? after )\S+/g, '$1<DURATION>'],
  [/("agent_version":)"[^"]*"/g, '$1"<VERSION>"'],
  [/(Agent version {5}: ).*/g, '$1<VERSION>'],
];

/** An outcome without what is particular to its place. */
export function masked({ code, out, err }: Outcome, place: Place): Outcome {
  return { code, out: maskedText(out, place), err: maskedText(err, place) };
}

/** A JWKS inside of an answer is compared by what it says, not by how it is laid out. */
const keySet = /(bundle\([^)]*\):\n\t)(\{[\s\S]*?\n\}|\{.*\})(?=\n)/g;

const members = (json: string): string =>
  JSON.stringify(JSON.parse(json), (_name, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );

const maskedText = (given: string, { names, dir }: Place): string => {
  const text = given.replace(keySet, (_all, head: string, json: string) => head + members(json));
  const special = [...names].filter(([name]) => /Socket|Config|^agent$/.test(name));
  const own = special.reduce((rest, [name, value]) => rest.replaceAll(value, `{${name}}`), text);
  return MASKS.reduce((rest, [pattern, by]) => rest.replace(pattern, by), own.replaceAll(dir, '{dir}'));
};
