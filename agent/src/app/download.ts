import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Code, GrpcError } from '@steeple/proto/grpc';
import type { Download } from './trust-source.ts';

const MAX_BYTES = 4 * 1024 * 1024;
/** Seconds until the whole answer must be there. */
const TIMEOUT = 30;

/**
 * Fetches a text from a web server whose certificate the system trusts, or from one on a local socket. A redirect is
 * refused: it could leave both.
 *
 * @throws {GrpcError} UNAVAILABLE: waiting may mend it
 */
export async function download(
  from: Download,
  signal: AbortSignal,
  limits: { readonly maxBytes?: number; readonly timeout?: number } = {},
): Promise<string> {
  const { maxBytes = MAX_BYTES, timeout = TIMEOUT } = limits;
  const tooLate = AbortSignal.timeout(timeout * 1000);
  try {
    return await readText(await answer(from, AbortSignal.any([signal, tooLate])), maxBytes);
  } catch (cause) {
    if (signal.aborted) throw cause;
    const reason = tooLate.aborted ? `no answer within ${timeout} s` : (cause as Error).message;
    throw new GrpcError(Code.UNAVAILABLE, `the trust bundle could not be downloaded: ${reason}`, { cause });
  }
}

function answer({ url, socketPath }: Download, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // Kept-alive connections would outlive the only question there is.
    const options = { signal, agent: false, headers: { accept: '*/*' } };
    const request: ClientRequest =
      socketPath === undefined ? httpsRequest(url, options) : httpRequest(url, { ...options, socketPath });
    request.once('error', reject);
    request.once('response', resolve);
    request.end();
  });
}

async function readText(response: IncomingMessage, maxBytes: number): Promise<string> {
  if (response.statusCode !== 200) {
    response.destroy();
    throw new Error(`the web server answered ${response.statusCode}`);
  }
  const parts: Buffer[] = [];
  let length = 0;
  // Leaving the loop early ends the connection.
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length > maxBytes) throw new Error('the answer is too long');
  }
  return new TextDecoder().decode(Buffer.concat(parts));
}
