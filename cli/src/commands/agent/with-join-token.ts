import type { ConfigDocument } from '@steeple/daemon/config';

/** The document with the token of --join-token in it, so that a flag and a setting are judged alike. */
export function withJoinToken(document: ConfigDocument, token: string | undefined): ConfigDocument {
  if (token === undefined || !isObject(document.value)) return document;
  const agent = Array.isArray(document.value['agent']) ? document.value['agent'][0] : document.value['agent'];
  if (!isObject(agent)) return document;
  const { join_token_file: _replaced, ...rest } = agent;
  return { ...document, value: { ...document.value, agent: { ...rest, join_token: token } } };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
