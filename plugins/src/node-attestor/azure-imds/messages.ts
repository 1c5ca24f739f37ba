import { IssuerError } from '@steeple/core';
import { isJsonObject } from '@steeple/spiffe';
import { bytesFromBase64 } from '../../base64.ts';
import { readJson, textOf } from '../cloud/read-json.ts';

/** What the agent begins with: it says nothing, the server's challenge comes first. As SPIRE's. */
export const OPENING = 'non_empty_payload';
/** Characters of the challenge, letters and digits. */
const NONCE_LENGTH = 32;
const MAX_RESPONSE = 128 * 1024;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** The agent's answer. Only the document proves anything; the rest says where to look. */
export interface ImdsResponse {
  /** PKCS#7. */
  readonly signature: Uint8Array;
  readonly agentDomain: string;
  /** Of the scale set that the machine is in, if it is in one. */
  readonly vmssName: string | undefined;
}

/** What Azure signed. */
export interface AttestedContent {
  readonly nonce: string;
  readonly vmId: string;
  readonly subscriptionId: string;
}

/** A challenge made of random bytes; each of them counts for less than six bits, which 32 characters make up for. */
export function nonceOf(random: (bytes: number) => Uint8Array): string {
  let nonce = '';
  while (nonce.length < NONCE_LENGTH) {
    // Above 248 the alphabet would not fit in whole, and its beginning come up more often.
    for (const byte of random(NONCE_LENGTH))
      if (byte < 248 && nonce.length < NONCE_LENGTH) nonce += ALPHABET[byte % 62];
  }
  return nonce;
}

export function formatResponse(
  signature: string,
  encoding: string,
  domain: string,
  vmssName: string | undefined,
): Uint8Array {
  const document = { encoding, signature };
  const metadata = { agentDomain: domain, vmssName: vmssName ?? null };
  return Buffer.from(JSON.stringify({ document, metadata }));
}

/** @throws {IssuerError} `invalid-argument` */
export function parseResponse(response: Uint8Array): ImdsResponse {
  if (response.length > MAX_RESPONSE) throw refused('the challenge response is too large');
  const { document, metadata } = readJson(response, 'azure_imds: the challenge response', 'invalid-argument');
  if (!isJsonObject(document) || !isJsonObject(metadata)) throw refused('the challenge response lacks a part');
  const signature = bytesFromBase64(textOf(document, 'signature'));
  if (signature === undefined || signature.length === 0) throw refused('missing signature in attested document');
  const vmssName = textOf(metadata, 'vmssName');
  if (vmssName !== undefined && !isScaleSetName(vmssName)) throw refused('invalid VMSS name');
  return { signature, agentDomain: textOf(metadata, 'agentDomain') ?? '', vmssName };
}

/** @throws {IssuerError} `invalid-argument`: what is no UUID reaches no address, no query and no path */
export function parseContent(content: Uint8Array): AttestedContent {
  const object = readJson(content, "azure_imds: the attested document's content", 'invalid-argument');
  const uuid = (member: string): string => {
    const value = textOf(object, member);
    if (value !== undefined && UUID.test(value)) return value;
    throw refused(`the attested document has no usable ${member}`);
  };
  return { nonce: textOf(object, 'nonce') ?? '', vmId: uuid('vmId'), subscriptionId: uuid('subscriptionId') };
}

/** Azure's own rule for such names; they become part of addresses and queries. */
function isScaleSetName(name: string): boolean {
  return /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_])?$/.test(name);
}

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

function refused(message: string): IssuerError {
  return new IssuerError('invalid-argument', `azure_imds: ${message}`);
}
