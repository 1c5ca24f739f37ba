import { toJson } from '@bufbuild/protobuf';
import { parseCertificate } from '@steeple/client';
import { GrpcError, statusName } from '@steeple/proto/grpc';
import { localauthorityV1 } from '@steeple/proto/server-api';
import { MAKERS } from '../spire/maker.ts';
import type { ServerUnit } from '../spire/server-unit.ts';
import type { Suite } from '../spire/suite.ts';
import { UpstreamRoot } from '../spire/upstream-root.ts';

/** What one server answers, line by line; ids have names in the order in which they were first seen. */
class Transcript {
  readonly lines: string[] = [];
  readonly #server: ServerUnit;
  readonly #names = new Map<string, string>();

  constructor(server: ServerUnit) {
    this.#server = server;
  }

  /** An id that is to be called by a name from here on. */
  name(id: string | undefined, name: string): void {
    if (id) this.#names.set(id, name);
  }

  /** Calls a method of LocalAuthority and notes what came of it. */
  async call(method: string, request: Record<string, string> = {}): Promise<Record<string, { authorityId: string }>> {
    const asked = `${method} ${this.#masked(JSON.stringify(request))}`;
    const client = this.#server.api.authority as unknown as Record<string, (r: object, o: object) => Promise<never>>;
    try {
      const answer = await client[method]?.(request, { deadline: 40 });
      const schema = localauthorityV1.LocalAuthority.methods.find(({ localName }) => localName === method)?.output;
      if (schema === undefined) throw new Error(`no method ${method}`);
      const json = JSON.stringify(toJson(schema, answer as never, { alwaysEmitImplicit: true }));
      this.lines.push(`${asked}: ${this.#masked(json)}`);
      return answer as never;
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error;
      this.lines.push(`${asked}: ${statusName(error.code)}: ${this.#masked(error.message)}`);
      return {};
    }
  }

  #masked(text: string): string {
    let masked = text.replace(/"expiresAt":"[1-9]\d*"/g, '"expiresAt":"<TIME>"');
    for (const [id, name] of this.#names) masked = masked.replaceAll(id, name);
    return masked;
  }
}

/** Every call in every state, right and wrong, for a kind of authority of a server with roots of its own. */
async function walk(t: Transcript, kind: 'X509' | 'JWT'): Promise<void> {
  const of = (verb: string) => `${verb}${kind}Authority`;
  const state = `get${kind}AuthorityState`;
  const first = (await t.call(state))['active']?.authorityId ?? '';
  t.lines.pop();
  t.name(first, '<FIRST>');
  await t.call(state);
  const all = async (id: string) => {
    for (const verb of ['activate', 'taint', 'revoke']) await t.call(of(verb), { authorityId: id });
  };
  await all(first);
  await all('');
  await all('nobody');
  const prepare = async (name: string) => {
    // Its id is not known before the answer, so the line is noted again with a name for it.
    const { preparedAuthority } = await t.call(of('prepare'));
    t.lines.pop();
    t.name(preparedAuthority?.authorityId, name);
    t.lines.push(`prepare: ${name}`);
    return preparedAuthority?.authorityId ?? '';
  };
  const second = await prepare('<SECOND>');
  await t.call(state);
  await t.call(of('taint'), { authorityId: second });
  await t.call(of('revoke'), { authorityId: second });
  await t.call(of('activate'), { authorityId: first });
  await t.call(of('activate'), { authorityId: second });
  await t.call(state);
  await t.call(of('activate'), { authorityId: second });
  await t.call(of('activate'), { authorityId: first });
  await t.call(of('revoke'), { authorityId: first });
  await t.call(of('taint'), { authorityId: second });
  await t.call(of('taint'), { authorityId: first });
  await t.call(of('taint'), { authorityId: first });
  await t.call(state);
  await t.call(of('revoke'), { authorityId: first });
  await t.call(of('revoke'), { authorityId: first });
  await t.call(of('taint'), { authorityId: first });
  await t.call(state);
  await prepare('<THIRD>');
  await prepare('<FOURTH>');
  await t.call(state);
}

/** The calls about a root above, for a server below a CA on disk. */
async function walkUpstream(t: Transcript, upstream: UpstreamRoot): Promise<void> {
  const { active } = await t.call('getX509AuthorityState');
  t.lines.pop();
  const first = active?.authorityId ?? '';
  const firstRoot = parseCertificate(upstream.root.der).subjectKeyId ?? '';
  t.name(first, '<CA1>');
  t.name(firstRoot, '<ROOT1>');
  t.name(firstRoot.toUpperCase(), '<ROOT1 IN CAPITALS>');
  await t.call('getX509AuthorityState');
  const both = async (subjectKeyId: string) => {
    await t.call('taintX509UpstreamAuthority', { subjectKeyId });
    await t.call('revokeX509UpstreamAuthority', { subjectKeyId });
  };
  for (const id of ['', 'nobody', firstRoot]) await both(id);
  await t.call('taintX509Authority', { authorityId: first });
  await t.call('revokeX509Authority', { authorityId: first });
  await upstream.replace('second');
  const secondRoot = parseCertificate(upstream.root.der).subjectKeyId ?? '';
  t.name(secondRoot, '<ROOT2>');
  const { preparedAuthority } = await t.call('prepareX509Authority');
  t.lines.pop();
  const second = preparedAuthority?.authorityId ?? '';
  t.name(second, '<CA2>');
  await t.call('getX509AuthorityState');
  await both(secondRoot);
  await t.call('activateX509Authority', { authorityId: second });
  await t.call('getX509AuthorityState');
  await t.call('revokeX509UpstreamAuthority', { subjectKeyId: firstRoot });
  await t.call('taintX509UpstreamAuthority', { subjectKeyId: firstRoot.toUpperCase() });
  await both(firstRoot);
  await both(firstRoot);
  await both(secondRoot);
}

const stories: Readonly<Record<string, (server: ServerUnit, upstream: UpstreamRoot) => Promise<string[]>>> = {
  'x509 and jwt': async (server) => {
    const transcript = new Transcript(server);
    await walk(transcript, 'X509');
    await walk(transcript, 'JWT');
    await transcript.call('taintX509UpstreamAuthority', { subjectKeyId: 'ff' });
    await transcript.call('revokeX509UpstreamAuthority', { subjectKeyId: 'ff' });
    return transcript.lines;
  },
  'below a CA on disk': async (server, upstream) => {
    const transcript = new Transcript(server);
    await walkUpstream(transcript, upstream);
    return transcript.lines;
  },
};

/** Ours and SPIRE's are asked the same, in every state, and answer the same. */
export const localAuthority: readonly Suite[] = Object.entries(stories).map(([name, tell]) => ({
  name: `local-authority answers, ${name}`,
  pairings: [{ server: 'steeple', agent: 'spire' }],
  run: async (site) => {
    const [ours = [], theirs = []] = await Promise.all(
      MAKERS.map(async (maker) => {
        const upstream = await UpstreamRoot.create(site.folder('upstream'), 'first');
        const disk = { cert_file_path: upstream.certificatePath, key_file_path: upstream.keyPath };
        const isBelow = name.startsWith('below');
        const server = await site.server(maker, isBelow ? { plugins: { UpstreamAuthority: { disk } } } : {});
        return tell(server, upstream);
      }),
    );
    const differences = theirs.flatMap((line, index) =>
      line === ours[index] ? [] : [`SPIRE ${line}\n         ours  ${ours[index]}`],
    );
    if (differences.length > 0)
      throw new Error(`${differences.length} differ:\n         ${differences.join('\n         ')}`);
  },
}));
