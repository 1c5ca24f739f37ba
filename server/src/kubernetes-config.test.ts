import { configOf } from '@steeple/daemon/config';
import { describe, expect, it } from 'vitest';
import { parseServerConfig } from './config.ts';

const parse = (kubernetes: object) =>
  parseServerConfig(configOf({ server: { trust_domain: 'example.org' }, kubernetes }), {}).kubernetes;

describe('the block kubernetes', () => {
  it('has the defaults of spire-controller-manager', () => {
    const { registrar, signerName, lease } = parse({ cluster_name: 'a.b', registrar: {} }) ?? {};
    expect(registrar).toMatchObject({ className: '', watchClassless: true, entryIdPrefix: 'k8s-a_b' });
    expect(['kube-system', 'spire-system', 'my-kube-public', 'shop'].map((name) => registrar?.isIgnored(name))).toEqual(
      [true, true, true, false],
    );
    expect([signerName, lease]).toEqual([undefined, undefined]);
    expect(parse({ cluster_name: 'c', pod_certificates: {} })?.signerName).toBe('steeple.dev/x509-svid');
    expect(parse({ cluster_name: 'c', registrar: { class_name: 'x' } })?.registrar?.watchClassless).toBe(false);
    expect(
      parse({ cluster_name: 'c', registrar: { ignore_namespaces: [] } })?.registrar?.isIgnored('kube-system'),
    ).toBe(false);
  });

  it.each([
    [{}, 'kubernetes.cluster_name'],
    [{ cluster_name: 'a/b' }, 'must be letters'],
    [{ cluster_name: 'c', registrar: { ignore_namespaces: ['('] } }, 'kubernetes.registrar.ignore_namespaces'],
    [
      { cluster_name: 'c', registrar: { parent_id_template: '{{ .Nope' } },
      'template parent_id_template at 1:1: an action is not closed',
    ],
    [{ cluster_name: 'c', registrar: { entry_id_prefix: 'a.b' } }, 'kubernetes.registrar.entry_id_prefix'],
    [{ cluster_name: 'c', registrar: { classname: 'x' } }, 'class_name'],
    [{ cluster_name: 'c', pod_certificates: { signer_name: 'svid' } }, 'must be a domain and a name'],
    [{ cluster_name: 'c', lease: {} }, 'kubernetes.lease.namespace'],
  ])('refuses %j', (block, message) => {
    expect(() => parse(block)).toThrow(message);
  });
});
