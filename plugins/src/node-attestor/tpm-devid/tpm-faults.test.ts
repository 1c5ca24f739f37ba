import { writeFile } from 'node:fs/promises';
import { MemoryLogger, type TempDir, tempDir } from '@steeple/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChannelPair } from '../channel-for-tests.ts';
import { TpmDevIdProver } from './prover.ts';
import { response, SILENCE } from './testing/fake-tpm.ts';
import { prove, startNode, type TestNode } from './testing/test-node.ts';
import { ENDORSEMENT_CERTIFICATE } from './tpm/nv-certificate.ts';

let dir: TempDir;
let node: TestNode;
const logger = new MemoryLogger();
beforeAll(async () => {
  dir = await tempDir();
  node = await startNode(dir.path, { logger });
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});
beforeEach(() => {
  node.tpm.interfere = () => undefined;
  node.tpm.executed.length = 0;
});

const FLUSH = 0x165;
const failing = (reason: string) => ({ code: 'failed-precondition', message: expect.stringContaining(reason) });

/** Answers the command at this place in the order of commands. */
function answerOnce(place: number, answer: Uint8Array): void {
  node.tpm.interfere = () => (node.tpm.executed.length - 1 === place ? answer : undefined);
}

describe('an agent at its TPM', () => {
  it('holds nothing in the TPM while the server thinks, or after it hung up', async () => {
    const pair = new ChannelPair();
    const proving = node.prover.prove(pair.agent, new AbortController().signal);
    await pair.server.receive();
    expect(node.tpm.residents).toBe(0);
    pair.close();
    await expect(proving).rejects.toThrow('the conversation is over');
    expect(node.tpm.residents).toBe(0);
  });

  it('throws everything out again whichever command fails', async () => {
    await prove(node.prover);
    const commands = [...node.tpm.executed];
    expect(commands.length).toBeGreaterThan(20);
    for (const [place, code] of commands.entries()) {
      // What cannot be thrown out stays; that is the next test.
      if (code === FLUSH) continue;
      node.tpm.executed.length = 0;
      answerOnce(place, response(0x8001, 0x101));
      await expect(prove(node.prover), `${place}`).rejects.toMatchObject(failing('failure mode'));
      expect(node.tpm.residents, `after command ${place}`).toBe(0);
    }
  });

  it('says so if something stays in the TPM', async () => {
    node.tpm.interfere = (code) => (code === FLUSH ? response(0x8001, 0x101) : undefined);
    await expect(prove(node.prover)).rejects.toMatchObject(failing('no memory for another key'));
    expect(logger.records.filter(({ level }) => level === 'warn').length).toBeGreaterThan(0);
    node.tpm.loaded.clear();
    node.tpm.sessions.clear();
  });

  it('tries again when the TPM asks for that, but not for ever', async () => {
    const busy = new Set<number>();
    node.tpm.interfere = (code) => {
      if (busy.has(code)) return undefined;
      busy.add(code);
      return response(0x8001, 0x922);
    };
    await prove(node.prover);
    node.tpm.interfere = () => response(0x8001, 0x922);
    await expect(prove(node.prover)).rejects.toMatchObject(failing('0x922'));
  });

  it.each([
    ['nothing', new Uint8Array(), 'hung up'],
    ['a size below the header', Buffer.from('80010000000900000000', 'hex'), 'size'],
    ['a huge size', Buffer.from('8001ffffffff00000000', 'hex'), 'size'],
    ['more than announced', Buffer.concat([response(0x8001, 0), Buffer.alloc(1)]), 'size'],
    ['no parameters', response(0x8001, 0), 'cut off'],
    ['another tag', response(0x00c4, 0, Buffer.alloc(8)), 'unknown tag'],
    ['an error of TPM 1.2', response(0x00c4, 0x1e), 'no TPM 2.0'],
  ])('refuses %s as an answer', async (_name, answer, reason) => {
    node.tpm.interfere = () => answer;
    await expect(prove(node.prover)).rejects.toMatchObject(failing(reason));
  });

  it('stops between two commands and throws out what it loaded', async () => {
    const controller = new AbortController();
    node.tpm.interfere = () => {
      if (node.tpm.residents === 2) controller.abort(new Error('shutting down'));
      return undefined;
    };
    await expect(node.prover.prove(new ChannelPair().agent, controller.signal)).rejects.toThrow('shutting down');
    expect(node.tpm.residents).toBe(0);
  });
});

describe('an agent whose TPM is silent', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('waits a little when it is told to stop, and asks for nothing more', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const asked = Promise.withResolvers<void>();
    const controller = new AbortController();
    const CREATE = 0x153;
    node.tpm.interfere = (code) => {
      if (code !== CREATE) return undefined;
      asked.resolve();
      return SILENCE;
    };
    const proving = node.prover.prove(new ChannelPair().agent, controller.signal);
    const refused = expect(proving).rejects.toThrow('shutting down');
    await asked.promise;
    controller.abort(new Error('shutting down'));
    await vi.advanceTimersByTimeAsync(10_000);
    await refused;
    expect(node.tpm.executed.at(-1)).toBe(CREATE);
    expect(logger.records.at(-1)).toMatchObject({ level: 'warn', fields: { reason: 'the TPM does not answer' } });
    node.tpm.loaded.clear();
  });
});

describe('an agent whose TPM has no', () => {
  it('endorsement certificate has nothing to prove with', async () => {
    const certificate = node.tpm.nv.get(ENDORSEMENT_CERTIFICATE.rsa) ?? new Uint8Array();
    node.tpm.nv.clear();
    const missing = failing('no endorsement certificate at NV index 0x01c00002 or 0x01c0000a');
    await expect(prove(node.prover)).rejects.toMatchObject(missing);
    node.tpm.nv.set(ENDORSEMENT_CERTIFICATE.rsa, Buffer.alloc(900, 0xff));
    await expect(prove(node.prover)).rejects.toMatchObject(failing('holds no certificate'));
    // Some vendors fill the index up.
    node.tpm.nv.set(ENDORSEMENT_CERTIFICATE.rsa, Buffer.concat([certificate, Buffer.alloc(300, 0xff)]));
    await prove(node.prover);
  });

  it('such DevID key cannot load it', async () => {
    await using other = await startNode(dir.path);
    await writeFile(other.files.privateBlobPath, Buffer.alloc(96));
    await expect(prove(other.prover)).rejects.toMatchObject(failing('made for another TPM'));
    expect(other.tpm.residents).toBe(0);
  });

  it('such password tries it once', async () => {
    await using other = await startNode(dir.path);
    Object.assign(other.tpm.passwords, { owner: 'o', endorsement: 'e', devId: 'd' });
    const prover = (owner: string, endorsement: string, devId: string) => {
      const passwords = {
        owner: Buffer.from(owner),
        endorsement: Buffer.from(endorsement),
        devId: Buffer.from(devId),
      };
      return new TpmDevIdProver({ device: other.device, files: other.files, passwords, logger });
    };
    for (const wrong of [prover('x', 'e', 'd'), prover('o', 'x', 'd'), prover('o', 'e', 'x')]) {
      await expect(prove(wrong)).rejects.toMatchObject(failing('wrong password'));
      expect(other.tpm.residents).toBe(0);
    }
    const certifications = other.tpm.executed.filter((code) => code === 0x148).length;
    expect(certifications).toBe(1);
    await prove(prover('o', 'e', 'd'));
    expect(JSON.stringify(logger.records)).not.toContain('"x"');
  });

  it('device says so', async () => {
    const passwords = { owner: new Uint8Array(), endorsement: new Uint8Array(), devId: new Uint8Array() };
    for (const device of [dir.join('nothing'), 'tcp://127.0.0.1:1', dir.path]) {
      const prover = new TpmDevIdProver({ device, files: node.files, passwords, logger });
      await expect(prove(prover), device).rejects.toMatchObject(failing(device));
    }
  });
});
