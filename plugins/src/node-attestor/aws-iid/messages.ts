import { IssuerError } from '@steeple/core';
import { bytesFromBase64 } from '../../base64.ts';
import { readJson, textOf } from '../cloud/read-json.ts';

/** An instance identity document has half a kilobyte, its signatures two. */
const MAX_PAYLOAD = 64 * 1024;

/** What the agent sends, as SPIRE's. Empty = not there. */
export interface IidPayload {
  /** The document's bytes as the metadata service gave them, in UTF-8. */
  readonly document: string;
  /** RSA PKCS#1 v1.5 with SHA-256 by the region's RSA-1024 key, base64. */
  readonly signature: string;
  /** PKCS#7 by the region's RSA-2048 key, base64. */
  readonly rsa2048: string;
}

/** The fields of an instance identity document that matter here. */
export interface InstanceDocument {
  readonly accountId: string;
  readonly region: string;
  readonly instanceId: string;
  readonly imageId: string;
  readonly availabilityZone: string;
}

export function formatPayload({ document, signature, rsa2048 }: IidPayload): Uint8Array {
  return Buffer.from(JSON.stringify({ document, signature, rsa2048 }));
}

/** @throws {IssuerError} `invalid-argument` */
export function parsePayload(payload: Uint8Array): IidPayload {
  if (payload.length > MAX_PAYLOAD) throw refused('the attestation data is too large');
  const object = readJson(payload, 'aws_iid: the attestation data', 'invalid-argument');
  const [document = '', signature = '', rsa2048 = ''] = ['document', 'signature', 'rsa2048'].map((member) =>
    textOf(object, member),
  );
  if (document === '') throw refused('the attestation data has no document');
  return { document, signature, rsa2048 };
}

/**
 * Reads a document, believed or not. Account, region and instance become part of addresses and of SPIFFE IDs, so nothing
 * but their own form passes.
 *
 * @throws {IssuerError} `invalid-argument`
 */
export function parseDocument(text: string): InstanceDocument {
  const object = readJson(text, 'aws_iid: the instance identity document', 'invalid-argument');
  const field = (member: string, form: RegExp): string => {
    const value = textOf(object, member);
    if (value !== undefined && form.test(value)) return value;
    throw refused(`the instance identity document has no usable ${member}`);
  };
  return {
    accountId: field('accountId', /^\d{12}$/),
    region: field('region', /^[a-z]{2,6}(?:-[a-z]{2,12}){1,3}-\d{1,2}$/),
    instanceId: field('instanceId', /^i-[0-9a-f]{8,32}$/),
    imageId: field('imageId', /^[a-z0-9-]{1,64}$/),
    availabilityZone: field('availabilityZone', /^[a-z0-9-]{1,64}$/),
  };
}

/** Base64 as the metadata service writes it, in lines. @throws {IssuerError} `invalid-argument` */
export function bytesOfSignature(text: string): Uint8Array {
  const bytes = bytesFromBase64(text.replaceAll(/[\r\n]/g, ''));
  if (bytes === undefined || bytes.length === 0) throw refused('the signature is not base64');
  return bytes;
}

function refused(message: string): IssuerError {
  return new IssuerError('invalid-argument', `aws_iid: ${message}`);
}
