// In a pod: calls the other one ten times a second, each time over a new connection, and says how it went.
import { get } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { authorizeId, SpiffeId, spiffeHttpsAgent, systemNow, X509Source } from '@steeple/client';

const [, , host] = process.argv;
const source = await X509Source.open();
console.log(`svid ${source.x509Svid().leaf.serialHex}`);
source.on('update', () => console.log(`svid ${source.x509Svid().leaf.serialHex}`));
const authorize = authorizeId(SpiffeId.parse('spiffe://example.org/called'));
const agent = spiffeHttpsAgent({ svid: source, bundles: source, now: systemNow, authorize }, { keepAlive: false });

function call(): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host, port: 8443, agent, timeout: 5000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve(text));
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 5 s')));
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
  await sleep(100);
}
