import { createPublicKey } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toPem } from '@steeple/client';
import { forgeCertificate } from '@steeple/test-kit';
import type { Case } from '../../interop/case.ts';
import { expectOutcome } from '../../interop/spire/outcome.ts';
import { attest, remoteApi } from '../../interop/spire/remote.ts';
import type { ServerUnit } from '../../interop/spire/server-unit.ts';
import type { Place } from './agent-cases.ts';
import { DevIdAuthority, type ProvisionedDevId } from './device-id.ts';
import { newTpm, serverFor } from './machines.ts';
import { prepare, proofOf } from './proof.ts';
import { type Swtpm, Vendor } from './swtpm.ts';

const HOUR = 3600;
/** Whom the server believes, when every word is true. */
export function serverCases({ site, machines, server }: Place): readonly Case[] {
  const { tpm, authority, vendor, folder, devId } = machines;
  const outcomeAt = async (what: string, at: ServerUnit, of: Swtpm, files: ProvisionedDevId, expected: RegExp) =>
    expectOutcome(what, attest(await remoteApi(site, at), proofOf(await prepare(of, files))), expected);
  return [
    {
      name: 'the server refuses a TPM of a vendor that it does not know',
      run: async () => {
        const other = await Vendor.create(join(folder, 'other-vendor'));
        const stranger = await newTpm(site, join(folder, 'stranger'), other);
        const files = await authority.provision(stranger);
        const refusal = /^PermissionDenied: .*the endorsement certificate is not trusted/;
        await outcomeAt('a stranger', server, stranger, files, refusal);
        const changed = await serverFor(site, 'steeple', machines, { endorsement_ca_path: await other.bundle() });
        await outcomeAt('the other way round', changed, tpm, devId, refusal);
        await outcomeAt('a known vendor', changed, stranger, files, /^OK$/);
      },
    },
    {
      name: 'the server refuses a DevID of an authority that it does not know',
      run: async () => {
        const other = await DevIdAuthority.create(await mkdtemp(join(folder, 'authority-')));
        const files = await other.provision(tpm);
        const refusal = /^PermissionDenied: .*the DevID certificate is not trusted/;
        await outcomeAt('a DevID of another authority', server, tpm, files, refusal);
      },
    },
    {
      name: 'the server takes a TPM whose only endorsement key is on P-256',
      run: async () => {
        const { certificate, bundle } = vendorOfP256(join(folder, 'p256-vendor.pem'));
        await writeFile(bundle.path, bundle.pem);
        const modern = await newTpm(site, join(folder, 'p256'), vendor, { unendorsed: true });
        const path = join(folder, 'p256.ek');
        await modern.tool('createek', '-G', 'ecc', '-c', `${path}.ctx`, '-u', `${path}.pub`);
        const publicKey = createPublicKey(await modern.tool('print', '-t', 'TPM2B_PUBLIC', '-f', 'pem', `${path}.pub`));
        const endorsement = certificate(publicKey);
        await writeFile(path, endorsement);
        const attributes = 'ownerread|ownerwrite|authread|authwrite';
        await modern.tool('nvdefine', '0x01c0000a', '-C', 'o', '-s', String(endorsement.length), '-a', attributes);
        await modern.tool('nvwrite', '0x01c0000a', '-C', 'o', '-i', path);
        const believing = await serverFor(site, 'steeple', machines, { endorsement_ca_path: bundle.path });
        await outcomeAt('a P-256 endorsement key', believing, modern, await authority.provision(modern), /^OK$/);
      },
    },
  ];
}

function vendorOfP256(path: string) {
  const now = Date.now() / 1000;
  const validity = { notBefore: now - HOUR, notAfter: now + 24 * HOUR };
  const issuer = forgeCertificate({ commonName: 'p256-vendor', ca: true, keyUsage: ['keyCertSign'], ...validity });
  const certificate = (publicKey: ReturnType<typeof createPublicKey>) =>
    forgeCertificate({ issuer, publicKey, commonName: 'ek', extKeyUsage: ['2.23.133.8.1'], ...validity }).der;
  return { certificate, bundle: { path, pem: toPem('CERTIFICATE', issuer.der) } };
}
