import { Code, GrpcError } from '@steeple/proto/grpc';
import { describe, expect, it } from 'vitest';
import { ScriptedNode, shortly } from './testing/scripted-node.ts';
import { agentRefusal } from './testing/scripted-server.ts';

describe('an agent and what the server thinks of it', () => {
  it.each(['AGENT_NOT_ATTESTED', 'AGENT_EXPIRED', 'AGENT_NOT_ACTIVE', 'AGENT_MUST_REATTEST'] as const)(
    'attests again in process when told %s, if the method allows it',
    async (reason) => {
      await using node = await ScriptedNode.open((server) => {
        server.reattestable = true;
        server.put({ id: 'a', path: '/a' });
      });
      await node.agent.start();
      await node.until(['/a']);
      const attested = node.server.count('AttestAgent');
      node.server.refuse = (method) =>
        node.server.count('AttestAgent') === attested && method.endsWith('AuthorizedEntries')
          ? agentRefusal(reason)
          : undefined;
      while (node.server.count('AttestAgent') === attested) await shortly();
      node.server.put({ id: 'b', path: '/b' });
      await node.until(['/a', '/b']);
      expect(node.agent.health.live).toBe(true);
    },
  );

  it('stops when it cannot attest again', async () => {
    await using node = await ScriptedNode.open();
    await node.agent.start();
    node.server.refuse = () => agentRefusal('AGENT_NOT_ATTESTED');
    await expect(node.agent.wait()).rejects.toMatchObject({ reason: 'lost-identity' });
  });

  it('stops when it is banned, though it could attest again', async () => {
    await using node = await ScriptedNode.open((server) => {
      server.reattestable = true;
    });
    await node.agent.start();
    node.server.refuse = () => agentRefusal('AGENT_BANNED');
    await expect(node.agent.wait()).rejects.toMatchObject({ reason: 'banned' });
  });

  it('treats a refusal without a reason as an ordinary error', async () => {
    await using node = await ScriptedNode.open((server) => server.put({ id: 'a', path: '/a' }));
    await node.agent.start();
    await node.until(['/a']);
    node.server.refuse = () => GrpcError.of(Code.PERMISSION_DENIED, 'not today');
    await node.syncs(2);
    expect(node.agent.health.live).toBe(true);
    expect(await node.paths()).toEqual(['/a']);
  });

  it('does not show its token to a server with another SPIFFE ID', async () => {
    await using node = await ScriptedNode.open(() => {}, '/spire/agent/impostor');
    const started = node.agent.start();
    while (!node.log.messages('warn').includes('Could not attest')) await shortly();
    await node.agent.stop();
    await started;
    expect(node.server.calls).toEqual([]);
  });

  it('gives up at once when the server refuses the attestation for good', async () => {
    await using node = await ScriptedNode.open((server) => {
      server.refuse = () => GrpcError.of(Code.INVALID_ARGUMENT, 'join token expired');
    });
    await expect(node.agent.start()).rejects.toThrow(/join token expired.*steeple token generate/);
    expect(node.server.count('AttestAgent')).toBe(1);
  });
});
