import { Code, GrpcError } from '@steeple/proto/grpc';
import { TestTrustDomain } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { createAgent } from './agent.ts';
import { HEADER, ScriptedNode, shortly } from './testing/scripted-node.ts';

describe('an agent of a server that announces nothing', () => {
  it('finds new, changed and removed entries by asking', async () => {
    await using node = await ScriptedNode.open((server) => server.put({ id: 'a', path: '/a' }));
    await node.agent.start();
    await node.until(['/a']);
    node.server.put({ id: 'b', path: '/b' }, { id: 'a', path: '/renamed', revision: 1 });
    await node.until(['/renamed', '/b']);
    node.server.entries.clear();
    await node.until(Code.PERMISSION_DENIED);
    expect(node.log.messages('error')).toEqual([]);
  });

  it('fetches of a long list only what changed', async () => {
    const many = Array.from({ length: 5 }, (_, index) => ({ id: `e${index}`, path: `/e${index}` }));
    await using node = await ScriptedNode.open((server) => {
      server.pageSize = 2;
      server.put(...many);
    });
    await node.agent.start();
    await node.until(many.map(({ path }) => path));
    expect(node.server.fetched).toEqual(['e0', 'e1', 'e2', 'e3', 'e4']);
    node.server.put({ id: 'e3', path: '/other', revision: 1 });
    await node.until(['/e0', '/e1', '/e2', '/other', '/e4']);
    expect(node.server.fetched.slice(5)).toEqual(['e3']);
  });

  it('asks old servers for the whole list', async () => {
    await using node = await ScriptedNode.open((server) => {
      server.put({ id: 'a', path: '/a' });
      server.refuse = (method) =>
        method === 'SyncAuthorizedEntries' ? GrpcError.of(Code.UNIMPLEMENTED, 'unknown method') : undefined;
    });
    await node.agent.start();
    await node.until(['/a']);
    expect(node.server.count('SyncAuthorizedEntries')).toBe(1);
  });

  it('takes nothing away for an error, or for a list that ends too early', async () => {
    const two = [
      { id: 'a', path: '/a' },
      { id: 'b', path: '/b' },
      { id: 'c', path: '/c' },
    ];
    await using node = await ScriptedNode.open((server) => {
      server.pageSize = 1;
      server.put(...two);
    });
    await node.agent.start();
    await node.until(['/a', '/b', '/c']);
    node.server.cutShort = true;
    await node.syncs(2);
    expect(await node.paths()).toEqual(['/a', '/b', '/c']);
    node.server.refuse = () => GrpcError.of(Code.UNAVAILABLE, 'not ready');
    await node.syncs(2);
    expect(await node.paths()).toEqual(['/a', '/b', '/c']);
  });

  it('tells a bundle that the server has not from one that it lost', async () => {
    await using node = await ScriptedNode.open((server) =>
      server.put({ id: 'a', path: '/a', federatesWith: ['other.test'] }),
    );
    const other = await TestTrustDomain.create('other.test');
    await node.agent.start();
    await node.until(['/a']);
    const bundles = async () => {
      const abort = new AbortController();
      for await (const { bundles } of node.workload.fetchX509Bundles({}, { metadata: HEADER, signal: abort.signal })) {
        abort.abort();
        return Object.keys(bundles).length;
      }
      return 0;
    };
    expect(await bundles()).toBe(1);
    node.server.federated.set('other.test', other);
    while ((await bundles()) !== 2) await shortly();
    node.server.refuse = (method) =>
      method === 'GetFederatedBundle' ? GrpcError.of(Code.INTERNAL, 'a bad day') : undefined;
    await node.syncs(2);
    expect(await bundles()).toBe(2);
    node.server.refuse = () => undefined;
    node.server.federated.clear();
    while ((await bundles()) !== 1) await shortly();
  });
});

describe('an agent and the SVIDs it is given', () => {
  it('serves the other identities when one cannot be issued, and that one when it can', async () => {
    await using node = await ScriptedNode.open((server) => {
      server.put({ id: 'a', path: '/a' }, { id: 'b', path: '/b' });
      server.refuse = (method) => (method === 'item:a' ? GrpcError.of(Code.INTERNAL, 'no') : undefined);
    });
    await node.agent.start();
    await node.until(['/b']);
    node.server.refuse = () => undefined;
    await node.until(['/a', '/b']);
  });

  it('does not hand out what was issued for somebody else', async () => {
    await using node = await ScriptedNode.open((server) => {
      server.put({ id: 'a', path: '/a' });
      server.issuedPath = () => '/admin';
    });
    await node.agent.start();
    await node.until(Code.UNAVAILABLE);
  });
});

describe('two agents on one data directory', () => {
  it('are one too many: the second is refused before it asks anybody, and the first goes on', async () => {
    await using node = await ScriptedNode.open((server) => server.put({ id: 'a', path: '/a' }));
    await node.agent.start();
    const attested = node.server.count('AttestAgent');
    const second = createAgent({ ...node.config, socketPath: node.dir.join('second.sock') }, { logger: node.log });
    await expect(second.start()).rejects.toThrow(
      /agent\.data_dir: .*agent is in use by another agent \(process \d+\): stop it or use another/,
    );
    expect(node.server.count('AttestAgent')).toBe(attested);
    await node.until(['/a']);
    await node.agent.stop();
    const third = createAgent(node.config, { logger: node.log });
    await third.start();
    await third.stop();
  });
});
