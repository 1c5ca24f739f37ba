import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';

/** The description of a container with a large environment has some hundred kilobytes. */
const ANSWER_BYTES = 4 * 1024 * 1024;

export interface EngineAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/**
 * Asks an engine on its unix socket, over a connection of its own.
 *
 * @throws {Error} if it cannot be reached or answers too much; the signal's reason if it aborts
 */
export async function askEngine(socketPath: string, target: string, signal: AbortSignal): Promise<EngineAnswer> {
  try {
    const response = await respond(socketPath, target, signal);
    return { status: response.statusCode ?? 0, headers: response.headers, body: await bodyOf(response) };
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw cause;
  }
}

function respond(socketPath: string, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'engine', accept: 'application/json', 'user-agent': 'steeple' };
    const call = request({ socketPath, path, method: 'GET', headers, signal, agent: false });
    // The signal may abort between the head and the body; nobody may be listening then.
    call.on('error', reject).once('response', resolve).end();
  });
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop destroys the connection.
  for await (const part of response as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > ANSWER_BYTES) throw new Error(`it answered more than ${ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  if (!response.complete) throw new Error('its answer ended too early');
  return Buffer.concat(parts).toString('utf8');
}
