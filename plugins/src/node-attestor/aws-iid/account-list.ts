import { readFile } from 'node:fs/promises';
import { IssuerError } from '@steeple/core';
import { isJsonObject, type JsonValue, parseJson, SpiffeError } from '@steeple/spiffe';
import type { AwsClient, AwsPlace } from './aws-client.ts';

/** More pages of twenty accounts than any organization has. */
const MAX_PAGES = 5000;
const ACCOUNT = /^\d{12}$/;

/**
 * The active accounts of the organization whose management account the role is in.
 *
 * @throws {IssuerError} `unavailable`, `internal`
 */
export async function organizationAccounts(
  client: AwsClient,
  place: AwsPlace,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const accounts = new Set<string>();
  let token: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const body = token === undefined ? {} : { NextToken: token };
    const call = { what: 'ListAccounts', target: 'AWSOrganizationsV20161128.ListAccounts', body };
    const answer = await client.json('organizations', place, call, signal);
    const listed = answer['Accounts'];
    if (!Array.isArray(listed)) throw new IssuerError('unavailable', "AWS's list of accounts has no Accounts");
    for (const account of listed as readonly JsonValue[]) {
      if (!isJsonObject(account) || account['Status'] !== 'ACTIVE') continue;
      if (typeof account['Id'] === 'string') accounts.add(account['Id']);
    }
    token = typeof answer['NextToken'] === 'string' ? answer['NextToken'] : undefined;
    if (token === undefined) return accounts;
  }
  throw new IssuerError('unavailable', "AWS's list of accounts does not end");
}

/**
 * The accounts in a file: a JSON array of account IDs, 12 digits each.
 *
 * @throws {IssuerError} `failed-precondition`
 */
export async function accountsInFile(path: string): Promise<ReadonlySet<string>> {
  const refused = (reason: string, cause?: unknown) =>
    new IssuerError('failed-precondition', `the account list ${path} ${reason}`, { cause });
  let text: Uint8Array;
  try {
    text = await readFile(path);
  } catch (cause) {
    throw refused(`cannot be read (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
  let list: JsonValue;
  try {
    list = parseJson(text, { maxBytes: 16 * 1024 * 1024, maxDepth: 2 });
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause;
    throw refused(`is no JSON: ${cause.message}`, cause);
  }
  const isAccount = (one: JsonValue): one is string => typeof one === 'string' && ACCOUNT.test(one);
  if (!Array.isArray(list) || !list.every(isAccount)) throw refused('is no JSON array of account IDs of 12 digits');
  return new Set(list);
}
