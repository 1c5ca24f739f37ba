// A client: calls the orders service over mTLS a few times a second, each time over a new connection, and says how it went.

import { get } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { authorizeId, SpiffeId, spiffeHttpsAgent, systemNow, X509Source } from '@steeple/client';

const port = Number(process.argv[2]);
const source = await X509Source.open();
console.log(`svid ${source.x509Svid().id} ${source.x509Svid().leaf.serialHex}`);
source.on('update', () => console.log(`svid ${source.x509Svid().id} ${source.x509Svid().leaf.serialHex}`));

const agent = spiffeHttpsAgent(
  {
    svid: source,
    bundles: source,
    now: systemNow,
    authorize: authorizeId(SpiffeId.parse('spiffe://example.org/orders')),
  },
  { keepAlive: false },
);

function call(): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve(`${response.statusCode} ${text}`));
    });
    request.on('error', reject);
  });
}

for (;;) {
  console.log(
    await call().then(
      (answer) => `call ${answer}`,
      (error: Error) => `failed ${error.message}`,
    ),
  );
  await sleep(200);
}
