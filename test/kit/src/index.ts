// What tests of several rooms need. For tests only; the fake Workload API and the test trust domain are part of the client
// library, since its users need them too.
export * from '@steeple/client/testing';
export { FakeClock } from './fake-clock.ts';
export { brokenLeaves, goodLeaf, goodRoot } from './forge/broken-leaves.ts';
export * as der from './forge/der.ts';
export {
  CLIENT_AUTH,
  type Forged,
  type ForgedExtension,
  type ForgeOptions,
  forgeCertificate,
  KEY_USAGE,
  type KeyUsageName,
  SERVER_AUTH,
} from './forge/forge-certificate.ts';
export { type ForgeCrlOptions, forgeCrl } from './forge/forge-crl.ts';
export { forgeToken, spoilSignature, type TokenSignature } from './forge/forge-token.ts';
export { type LogRecord, MemoryLogger } from './memory-logger.ts';
export { type TempDir, tempDir } from './temp-dir.ts';
