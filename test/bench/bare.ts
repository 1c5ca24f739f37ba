// What the machine can do without us.
import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { rate } from './figures.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const message = randomBytes(700);
const signature = sign('sha256', message, privateKey);

/** P-256 signatures per second, one thread. */
export const bareSign = (seconds: number): number => rate(seconds, () => void sign('sha256', message, privateKey));

/** A P-256 signature and a verification, per second, one thread: what one issued certificate cannot do without. */
export const bareSignAndVerify = (seconds: number): number =>
  rate(seconds, () => {
    sign('sha256', message, privateKey);
    verify('sha256', message, publicKey, signature);
  });
