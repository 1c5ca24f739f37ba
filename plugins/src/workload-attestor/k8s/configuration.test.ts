import { checkValue } from '@steeple/daemon/config';
import { describe, expect, it } from 'vitest';
import { k8sSchema } from './configuration.ts';

describe('configuration of k8s', () => {
  it('has the defaults of SPIRE', () => {
    expect(checkValue(k8sSchema, {})).toMatchObject({
      kubelet_read_only_port: 0,
      kubelet_secure_port: 10_250,
      kubelet_ca_path: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
      token_path: '/var/run/secrets/kubernetes.io/serviceaccount/token',
      node_name_env: 'MY_NODE_NAME',
      max_poll_attempts: 60,
      poll_retry_interval: 0.5,
      reload_interval: 60,
      pod_list_max_age: 10,
    });
  });

  it.each([
    [{ kubelet_read_only_port: 10_255, kubelet_secure_port: 10_250 }, 'set only one of'],
    [{ certificate_path: '/a' }, '"certificate_path" needs "private_key_path"'],
    [{ private_key_path: '/a' }, '"private_key_path" needs "certificate_path"'],
    [{ use_anonymous_authentication: true, token_path: '/a' }, 'set only one of'],
    [{ sigstore: {} }, 'not supported yet'],
    [{ experimental: { broker: {} } }, 'not supported'],
    [{ disable_kubelet_client: true }, 'not supported'],
    [{ use_new_container_locator: false }, 'not supported'],
    [{ poll_retry_interval: '5' }, 'poll_retry_interval'],
    [{ kubelet_secure_prot: 1 }, 'kubelet_secure_port'],
  ])('refuses %j', (config, why) => {
    expect(() => checkValue(k8sSchema, config)).toThrow(why);
  });
});
