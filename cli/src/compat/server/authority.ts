// `localauthority` and `upstreamauthority`.

import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import { localauthorityV1 as v1 } from '@steeple/proto/server-api';
import type { Call } from '../call.ts';
import type { CallCommand } from '../command.ts';
import { CommandError, explain } from '../command-error.ts';
import { stringFlag } from '../go/flag-kind.ts';
import type { FlagSpec } from '../go/flag-set.ts';
import { utcTime } from '../go/time.ts';
import { outputFlag } from '../output-flag.ts';

type Kind = 'X.509' | 'JWT';
const nounOf = (kind: Kind): string => (kind === 'JWT' ? 'jwt' : 'x509');
const client = (call: Call) => call.client(v1.LocalAuthority);
type Client = ReturnType<typeof client>;

/** The three states of a show, for either kind. */
const show = <D extends DescMessage>(
  kind: Kind,
  schema: D,
  get: (client: Client) => Promise<MessageShape<D>>,
  statesOf: (answer: MessageShape<D>) => States,
): CallCommand => ({
  path: `localauthority ${nounOf(kind)} show`,
  synopsis: `Shows the local ${kind} authorities`,
  on: 'server',
  flags: [outputFlag],
  run: async (call) => {
    const answer = await explain(`could not get ${kind} authorities`, get(client(call)));
    await call.answer(schema, answer, () => {
      const { active, prepared, old } = statesOf(answer);
      tellSlot(call, kind, 'Active', active);
      call.line();
      tellSlot(call, kind, 'Prepared', prepared);
      call.line();
      tellSlot(call, kind, 'Old', old);
    });
  },
});

interface States {
  active?: v1.AuthorityState | undefined;
  prepared?: v1.AuthorityState | undefined;
  old?: v1.AuthorityState | undefined;
}

const tellSlot = (call: Call, kind: Kind, slot: string, state: v1.AuthorityState | undefined): void => {
  call.line(`${slot} ${kind} authority:`);
  if (state === undefined) call.line(`  No ${slot.toLowerCase()} ${kind} authority found`);
  else tellState(call, kind, state);
};

const tellState = (call: Call, kind: Kind, state: v1.AuthorityState): void => {
  call.line(`  Authority ID: ${state.authorityId}`);
  call.line(`  Expires at: ${utcTime(Number(state.expiresAt))}`);
  if (kind === 'JWT') return;
  const { upstreamAuthoritySubjectKeyId: upstream } = state;
  call.line(
    upstream === ''
      ? '  Upstream authority ID: No upstream authority'
      : `  Upstream authority Subject Key ID: ${upstream}`,
  );
};

interface Change {
  readonly verb: 'prepare' | 'activate' | 'taint' | 'revoke';
  readonly done: 'Prepared' | 'Activated' | 'Tainted' | 'Revoked';
  readonly synopsis: string;
}

/** A change of one authority, for either kind; all but prepare name it. */
const change = <D extends DescMessage>(
  kind: Kind,
  { verb, done, synopsis }: Change,
  schema: D,
  make: (client: Client, authorityId: string) => Promise<MessageShape<D>>,
  stateOf: (answer: MessageShape<D>) => v1.AuthorityState | undefined,
): CallCommand => ({
  path: `localauthority ${nounOf(kind)} ${verb}`,
  synopsis,
  on: 'server',
  flags: verb === 'prepare' ? [outputFlag] : [authorityFlag(kind, verb), outputFlag],
  run: async (call) => {
    const id = verb === 'prepare' ? '' : call.flags.text('authorityID');
    if (verb !== 'prepare' && id === '') throw new CommandError('an authority ID is required');
    const answer = await explain(`could not ${verb} ${kind} authority`, make(client(call), id));
    await call.answer(schema, answer, () => {
      call.line(`${done} ${kind} authority:`);
      const state = stateOf(answer);
      if (state === undefined) {
        throw new CommandError(`internal error: expected to have ${done.toLowerCase()} ${kind} authority information`);
      }
      tellState(call, kind, state);
    });
  },
});

const authorityFlag = (kind: Kind, verb: string): FlagSpec => ({
  name: 'authorityID',
  kind: stringFlag,
  usage: `The authority ID of the ${kind} authority to ${verb}`,
});

const changes = (kind: Kind): Readonly<Record<Change['verb'], Change>> => ({
  prepare: {
    verb: 'prepare',
    done: 'Prepared',
    synopsis: `Prepares a new ${kind} authority for use by generating a new key and injecting ${kind === 'JWT' ? 'it' : 'the resulting CA certificate'} into the bundle`,
  },
  activate: {
    verb: 'activate',
    done: 'Activated',
    synopsis: `Activates a prepared ${kind} authority for use, which will cause it to be used for all ${kind} signing operations serviced by this server going forward`,
  },
  taint: {
    verb: 'taint',
    done: 'Tainted',
    synopsis: `Marks the previously active ${kind} authority as being tainted`,
  },
  revoke: {
    verb: 'revoke',
    done: 'Revoked',
    synopsis: `Revokes the previously active ${kind} authority by removing it from the bundle and propagating this update throughout the cluster`,
  },
});

const [x509, jwt] = [changes('X.509'), changes('JWT')];
const prepared = (a: { preparedAuthority?: v1.AuthorityState | undefined }) => a.preparedAuthority;
const activated = (a: { activatedAuthority?: v1.AuthorityState | undefined }) => a.activatedAuthority;
const tainted = (a: { taintedAuthority?: v1.AuthorityState | undefined }) => a.taintedAuthority;
const revoked = (a: { revokedAuthority?: v1.AuthorityState | undefined }) => a.revokedAuthority;

const upstream = (verb: 'taint' | 'revoke', done: string, synopsis: string, of: string): CallCommand => ({
  path: `upstreamauthority ${verb}`,
  synopsis,
  on: 'server',
  flags: [
    {
      name: 'subjectKeyID',
      kind: stringFlag,
      usage: `The X.509 Subject Key Identifier (or SKID) of the authority's CA certificate of the ${of} to ${verb}`,
    },
    outputFlag,
  ],
  run: async (call) => {
    const subjectKeyId = call.flags.text('subjectKeyID');
    if (subjectKeyId === '') {
      throw new CommandError('the Subject Key ID of the X.509 upstream authority is required');
    }
    const [schema, calling] =
      verb === 'taint'
        ? ([v1.TaintX509UpstreamAuthorityResponseSchema, client(call).taintX509UpstreamAuthority] as const)
        : ([v1.RevokeX509UpstreamAuthorityResponseSchema, client(call).revokeX509UpstreamAuthority] as const);
    const called: Promise<UpstreamAnswer> = calling({ subjectKeyId });
    const answer = await explain(`could not ${verb} X.509 upstream authority`, called);
    await call.answer(schema as GenMessage<UpstreamAnswer>, answer, () => {
      call.line(`${done} X.509 upstream authority:`);
      call.line(`  Subject Key ID: ${answer.upstreamAuthoritySubjectKeyId}`);
    });
  },
});

type UpstreamAnswer = v1.TaintX509UpstreamAuthorityResponse | v1.RevokeX509UpstreamAuthorityResponse;

/** Commands about the keys that this server signs with, and about those above it. */
export const authorityCommands: readonly CallCommand[] = [
  show(
    'JWT',
    v1.GetJWTAuthorityStateResponseSchema,
    (c) => c.getJWTAuthorityState({}),
    (a) => a,
  ),
  change('JWT', jwt.prepare, v1.PrepareJWTAuthorityResponseSchema, (c) => c.prepareJWTAuthority({}), prepared),
  change(
    'JWT',
    jwt.activate,
    v1.ActivateJWTAuthorityResponseSchema,
    (c, authorityId) => c.activateJWTAuthority({ authorityId }),
    activated,
  ),
  change(
    'JWT',
    jwt.taint,
    v1.TaintJWTAuthorityResponseSchema,
    (c, authorityId) => c.taintJWTAuthority({ authorityId }),
    tainted,
  ),
  change(
    'JWT',
    jwt.revoke,
    v1.RevokeJWTAuthorityResponseSchema,
    (c, authorityId) => c.revokeJWTAuthority({ authorityId }),
    revoked,
  ),
  show(
    'X.509',
    v1.GetX509AuthorityStateResponseSchema,
    (c) => c.getX509AuthorityState({}),
    (a) => a,
  ),
  change('X.509', x509.prepare, v1.PrepareX509AuthorityResponseSchema, (c) => c.prepareX509Authority({}), prepared),
  change(
    'X.509',
    x509.activate,
    v1.ActivateX509AuthorityResponseSchema,
    (c, authorityId) => c.activateX509Authority({ authorityId }),
    activated,
  ),
  change(
    'X.509',
    x509.taint,
    v1.TaintX509AuthorityResponseSchema,
    (c, authorityId) => c.taintX509Authority({ authorityId }),
    tainted,
  ),
  change(
    'X.509',
    x509.revoke,
    v1.RevokeX509AuthorityResponseSchema,
    (c, authorityId) => c.revokeX509Authority({ authorityId }),
    revoked,
  ),
  upstream(
    'taint',
    'Tainted',
    'Marks the provided X.509 upstream authority as being tainted',
    'upstream X.509 authority',
  ),
  upstream(
    'revoke',
    'Revoked',
    'Revokes the previously active X.509 upstream authority by removing it from the bundle and propagating this update throughout the cluster',
    'X.509 upstream authority',
  ),
];
