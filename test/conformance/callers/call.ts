// A plain process that asks a Workload API for its X509-SVIDs over gRPC written by hand, so that it may also do so on a
// connection that it did not open: argument 1 is the socket's path, or the word `inherited` for file descriptor 3.
import { connect as connectHttp2 } from 'node:http2';
import { connect, Socket } from 'node:net';

const [, , target = ''] = process.argv;
const socket = target === 'inherited' ? new Socket({ fd: 3 }) : connect(target);
if (target === 'inherited') await new Promise((resolve) => setTimeout(resolve, 1500));

const session = connectHttp2('http://localhost', { createConnection: () => socket });
session.on('error', (error: Error) => finish(`connection lost: ${error.message}`));
const request = session.request({
  ':method': 'POST',
  ':path': '/SpiffeWorkloadAPI/FetchX509SVID',
  'content-type': 'application/grpc',
  te: 'trailers',
  'workload.spiffe.io': 'true',
});
// Compression flag and length of an empty message.
request.end(Buffer.alloc(5));
request.on('response', (headers) => {
  if (headers['grpc-status'] !== undefined) finish(`status ${String(headers['grpc-status'])}`);
});
request.on('trailers', (trailers) => finish(`status ${String(trailers['grpc-status'])}`));
request.on('data', (data: Buffer) =>
  finish(`served ${/spiffe:\/\/[\w./-]+/.exec(data.toString('latin1'))?.[0] ?? ''}`),
);
request.on('error', (error: Error) => finish(`call lost: ${error.message}`));

function finish(answer: string): void {
  console.log(answer);
  process.exit(0);
}
