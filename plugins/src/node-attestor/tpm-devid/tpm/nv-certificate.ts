import { TpmFormatError } from './bytes.ts';
import { TpmError } from './response-code.ts';
import type { Tpm } from './tpm.ts';

/** Where the vendor puts the certificate of an endorsement key (Provisioning Guidance, section 7.8). */
export const ENDORSEMENT_CERTIFICATE = { rsa: 0x01c00002, ecc: 0x01c0000a } as const;

const NV_BUFFER_MAX = 0x12c;
const SMALLEST_BUFFER = 64;
const MAX_CERTIFICATE = 16 * 1024;
/** TPM_RC_HANDLE for the first handle. */
const NO_SUCH_INDEX = 0x18b;

/**
 * The certificate in an NV index, without the bytes some vendors leave behind it; undefined if there is no such index.
 *
 * @throws {TpmFormatError} if it holds something else
 */
export async function readNvCertificate(tpm: Tpm, index: number): Promise<Uint8Array | undefined> {
  const size = await sizeIfAny(tpm, index);
  if (size === undefined) return undefined;
  if (size > MAX_CERTIFICATE) throw new TpmFormatError('the certificate in the NV index is too long');
  const most = Math.max(SMALLEST_BUFFER, (await tpm.property(NV_BUFFER_MAX)) ?? SMALLEST_BUFFER);
  const parts: Uint8Array[] = [];
  for (let offset = 0; offset < size; offset += most) {
    parts.push(await tpm.nvRead(index, offset, Math.min(most, size - offset)));
  }
  return firstDerElement(Buffer.concat(parts));
}

async function sizeIfAny(tpm: Tpm, index: number): Promise<number | undefined> {
  try {
    return await tpm.nvSize(index);
  } catch (error) {
    if (error instanceof TpmError && error.code === NO_SUCH_INDEX) return undefined;
    throw error;
  }
}

function firstDerElement(bytes: Buffer): Uint8Array {
  // A certificate has between 256 and 65535 bytes, hence a length of two bytes.
  const whole = bytes.length >= 4 && bytes[0] === 0x30 && bytes[1] === 0x82 ? 4 + bytes.readUInt16BE(2) : 0;
  if (whole === 0 || whole > bytes.length) throw new TpmFormatError('the NV index holds no certificate');
  return bytes.subarray(0, whole);
}
