import { readSingle } from '../der/reader.ts';
import { TAG } from '../der/tags.ts';
import { readOid } from '../der/values.ts';
import { sequence } from '../der/writer.ts';
import { encodeName } from './name.ts';
import { OID } from './oids.ts';

const OWN_ATTRIBUTES: readonly string[] = [OID.organizationalUnit, OID.serialNumber];

/**
 * The subject of a CA below another one: that one's name with another organizational unit and serial number, so that two
 * CAs are never called the same.
 *
 * @param parent DER Name
 * @throws SpiffeError `malformed-der`
 */
export function downstreamSubject(parent: Uint8Array, organizationalUnit: string, serialNumber: string): Uint8Array {
  const kept: Uint8Array[] = [];
  const names = readSingle(parent, TAG.sequence).reader();
  while (!names.done) {
    const relative = names.expect(TAG.set);
    const type = readOid(relative.reader().expect(TAG.sequence).reader().expect(TAG.oid));
    if (!OWN_ATTRIBUTES.includes(type)) kept.push(relative.raw);
  }
  const own = readSingle(encodeName({ organizationalUnit: [organizationalUnit], serialNumber }), TAG.sequence);
  return sequence(...kept, own.contents);
}
