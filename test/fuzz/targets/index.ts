import type { Target } from '../target.ts';
import { bundleDocument } from './bundle-document.ts';
import { certificate } from './certificate.ts';
import { container } from './container.ts';
import { csr } from './csr.ts';
import { der } from './der.ts';
import { hcl } from './hcl.ts';
import { json } from './json.ts';
import { jws } from './jws.ts';
import { revocationList } from './revocation-list.ts';
import { spiffeId } from './spiffe-id.ts';
import { sshCertificate } from './ssh-certificate.ts';
import { tpm } from './tpm.ts';

export const TARGETS: readonly Target[] = [
  spiffeId,
  json,
  hcl,
  der,
  certificate,
  csr,
  revocationList,
  jws,
  bundleDocument,
  sshCertificate,
  tpm,
  container,
];
