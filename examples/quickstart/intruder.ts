// A process that nobody registered. It asks as the others do and is told no.
import { X509Source } from '@steeple/client';

try {
  const source = await X509Source.open({ timeout: 3 });
  console.log(`got ${source.x509Svid().id}`);
} catch (error) {
  console.log(`refused: ${error instanceof Error ? error.message : String(error)}`);
}
process.exit();
