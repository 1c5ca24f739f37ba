import type { LookupAddress } from 'node:dns';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { challengePath, type Whereabouts } from './messages.ts';

/** A nonce has 44; SPIRE reads as many. */
const MAX_BYTES = 64;
const MAX_HEADER_BYTES = 8192;

/**
 * Asks the agent's web server at addresses that were judged before, so that no second look at the name can lead elsewhere.
 * No redirect, no proxy, no connection that was open already.
 *
 * @returns the answer without blanks around it
 * @throws {Error} for any other answer than a short one with status 200
 */
export async function fetchNonce(
  { hostname, port, agentName }: Whereabouts,
  addresses: readonly LookupAddress[],
  signal: AbortSignal,
): Promise<string> {
  const asked = request({
    host: hostname,
    port,
    path: challengePath(agentName),
    agent: false,
    headers: { accept: 'text/plain', connection: 'close' },
    maxHeaderSize: MAX_HEADER_BYTES,
    signal,
    lookup: (_hostname, options, callback) => {
      const [first] = addresses;
      if (options.all === true) callback(null, [...addresses]);
      else callback(null, first?.address ?? '', first?.family ?? 0);
    },
  });
  try {
    return await readAnswer(await answerOf(asked));
  } finally {
    asked.destroy();
  }
}

function answerOf(asked: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    asked.once('response', resolve);
    // Stays for what comes after the answer.
    asked.on('error', reject);
    asked.once('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('it wants to speak another protocol'));
    });
    asked.end();
  });
}

async function readAnswer(answer: IncomingMessage): Promise<string> {
  if (answer.statusCode !== 200) throw new Error(`it answers with status ${answer.statusCode}`);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new Error(`it answers with more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('latin1').trim();
}
