import { ClientError, parseEndpointAddress, WorkloadApiClient } from '@steeple/client';
import { FakeWorkloadApi, TestTrustDomain } from '@steeple/client/testing';
import { expect, it } from 'vitest';

function acceptedAddresses(...texts: readonly string[]): string[] {
  return texts.filter((text) => {
    try {
      parseEndpointAddress(text);
      return true;
    } catch (error) {
      if (error instanceof ClientError) return false;
      throw error;
    }
  });
}

it('[WEP-09] dials the option, else the environment, else nothing', async () => {
  await using api = await FakeWorkloadApi.start();
  await using other = await FakeWorkloadApi.start();
  const domain = await TestTrustDomain.create('a.test');
  for (const one of [api, other]) one.issue({ svids: [await domain.x509Svid('/x')], bundles: [domain.bundle] });
  const environment = { SPIFFE_ENDPOINT_SOCKET: api.address };
  await using fromEnvironment = new WorkloadApiClient({ environment });
  await fromEnvironment.fetchX509Context({ timeout: 10 });
  expect([api.calls.length, other.calls.length]).toEqual([1, 0]);
  await using fromOption = new WorkloadApiClient({ environment, address: other.address });
  await fromOption.fetchX509Context({ timeout: 10 });
  expect([api.calls.length, other.calls.length]).toEqual([1, 1]);
  expect(() => new WorkloadApiClient({ environment: {} })).toThrow(expect.objectContaining({ code: 'no-endpoint' }));
});

it('[WEP-10] knows the schemes unix and tcp only', () => {
  expect(acceptedAddresses('http://127.0.0.1:80', 'npipe:x', '/path', '', 'blah', '\t', 'unixx:///a.sock')).toEqual([]);
});

it('[WEP-11] takes unix without authority and with an absolute path', () => {
  const good = ['unix:///a.sock', 'unix:/a.sock'];
  expect(acceptedAddresses(...good)).toEqual(good);
  expect(acceptedAddresses('unix://a.sock', 'unix://h/a.sock', 'unix:a.sock', 'unix://', 'unix:///')).toEqual([]);
});

it('[WEP-12] takes tcp with an IP address and a port', () => {
  const good = ['tcp://127.0.0.1:8000', 'tcp://[::1]:8000'];
  expect(acceptedAddresses(...good)).toEqual(good);
  const bad = ['tcp://localhost:8000', 'tcp://1.2.3.4', 'tcp://', 'tcp:///x', 'tcp:opaque', 'tcp://127.1:80'];
  expect(acceptedAddresses(...bad, 'tcp://1.2.3.4:0', 'tcp://1.2.3.4:65536')).toEqual([]);
});

it('[WEP-13] takes no other part of a URI', () => {
  const unix = ['?x', '#x', '?', '#'].map((end) => `unix:///a.sock${end}`);
  const tcp = ['?x', '#x', '?', '#', '/', '/x'].map((end) => `tcp://1.2.3.4:80${end}`);
  const userinfo = ['tcp://u@1.2.3.4:80', 'tcp://@1.2.3.4:80', 'unix://u@/a.sock', 'unix://@/a.sock'];
  expect(acceptedAddresses(...unix, ...tcp, ...userinfo)).toEqual([]);
});
