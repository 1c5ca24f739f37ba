// Two machines with a TPM each, whose vendor and DevID authority a server trusts.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Maker } from '../../interop/spire/maker.ts';
import type { ServerUnit } from '../../interop/spire/server-unit.ts';
import type { Site } from '../../interop/spire/site.ts';
import type { Block } from '../../interop/spire/write-hcl.ts';
import { DevIdAuthority, type ProvisionedDevId } from './device-id.ts';
import { needTpmPrograms, Swtpm, type SwtpmOptions, Vendor } from './swtpm.ts';

export interface Machines {
  readonly folder: string;
  readonly vendor: Vendor;
  readonly authority: DevIdAuthority;
  readonly tpm: Swtpm;
  readonly neighbour: Swtpm;
  /** In `tpm`. */
  readonly devId: ProvisionedDevId;
}

/** @throws {Skip} where there are no TPMs to be had */
export async function openMachines(site: Site): Promise<Machines> {
  await needTpmPrograms();
  const folder = site.folder('tpm');
  await mkdir(folder);
  const vendor = await Vendor.create(folder);
  const tpm = await newTpm(site, join(folder, 'a'), vendor);
  const neighbour = await newTpm(site, join(folder, 'b'), vendor);
  const authority = await DevIdAuthority.create(folder);
  return { folder, vendor, tpm, neighbour, authority, devId: await authority.provision(tpm) };
}

export async function newTpm(site: Site, folder: string, vendor: Vendor, options: SwtpmOptions = {}): Promise<Swtpm> {
  const tpm = await Swtpm.create(folder, vendor, options);
  site.defer(() => tpm.stop());
  return tpm;
}

/** A server that believes this vendor and this authority, unless others are named. */
export async function serverFor(
  site: Site,
  maker: Maker,
  { vendor, authority }: Machines,
  trust: { readonly devid_ca_path?: string; readonly endorsement_ca_path?: string } = {},
): Promise<ServerUnit> {
  const settings = { devid_ca_path: authority.path, endorsement_ca_path: await vendor.bundle(), ...trust };
  return await site.server(maker, { plugins: { NodeAttestor: { tpm_devid: settings } } });
}

/** Plugins of an agent on that machine. */
export function attestorOf(
  device: string,
  files: ProvisionedDevId,
  more: Block = {},
): Record<string, Record<string, Block>> {
  const settings = {
    tpm_device_path: device,
    devid_cert_path: files.certificatePath,
    devid_priv_path: files.privateBlobPath,
    devid_pub_path: files.publicBlobPath,
    ...more,
  };
  return { NodeAttestor: { tpm_devid: settings } };
}
