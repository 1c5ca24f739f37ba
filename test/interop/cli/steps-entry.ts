import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { agent, type Step, server } from './step.ts';

const web = '-spiffeID spiffe://domain.test/web -selector unix:uid:1';
const first = /Entry ID +: (\S+)/;

const file = {
  entries: [
    {
      selectors: [{ type: 'unix', value: 'uid:7' }],
      spiffe_id: 'spiffe://domain.test/file',
      parent_id: 'spiffe://domain.test/parent',
      x509_svid_ttl: 200,
      jwt_svid_ttl: 30,
      dns_names: ['file.example.org'],
      hint: 'from a file',
      admin: true,
      entryExpiry: 4102444800,
      additional_attributes: { jwt_svid_include_jti: true },
    },
    {
      selectors: [{ type: 'unix', value: 'uid:1' }],
      spiffe_id: 'spiffe://domain.test/web',
      parent_id: 'spiffe://domain.test/parent',
    },
  ],
};

export const entrySteps: readonly Step[] = [
  async ({ dir }) => {
    await writeFile(join(dir, 'entries.json'), JSON.stringify(file));
    await writeFile(join(dir, 'bad.json'), '{"entries": [');
    const wrongId = { entries: [{ spiffe_id: 'web', parent_id: 'spiffe://domain.test/p', selectors: [] }] };
    await writeFile(join(dir, 'wrong-id.json'), JSON.stringify(wrongId));
  },
  server('entry count'),
  server('entry show'),
  server(`entry create -parentID spiffe://domain.test/parent ${web}`, { keep: { web: first } }),
  server(`entry create -parentID spiffe://domain.test/parent ${web}`),
  server(`entry create -parentID spiffe://domain.test/parent ${web} -output json`),
  server('entry create -node -spiffeID spiffe://domain.test/nodes -selector x509pop:san:a:b -entryID chosen'),
  server(
    'entry create -parentID {agent} -spiffeID spiffe://domain.test/all -selector unix:uid:2 -selector unix:gid:3' +
      ' -x509SVIDTTL 120 -jwtSVIDTTL 60 -federatesWith other.test -admin -downstream -entryExpiry 4102444800' +
      ' -dns b.example.org -dns a.example.org -hint internal -jwtSVIDIncludeJTI -disableX509SVIDPrefetch=true',
    { keep: { all: first } },
  ),
  server(
    'entry create -parentID spiffe://domain.test/parent -spiffeID spiffe://domain.test/stored -selector disk:a:b -storeSVID=true -output json',
  ),
  server('entry create -parentID {agent} -spiffeID spiffe://domain.test/x -selector unix -output json'),
  server('entry create -parentID {agent} -spiffeID spiffe://domain.test/x'),
  server('entry create -parentID {agent} -selector unix:uid:1'),
  server('entry create -spiffeID spiffe://domain.test/x -selector unix:uid:1'),
  server('entry create -parentID nonsense -spiffeID spiffe://domain.test/x -selector unix:uid:1'),
  server('entry create -parentID {agent} -spiffeID spiffe://domain.test/x/ -selector unix:uid:1'),
  server('entry create -parentID {agent} -spiffeID spiffe://other.test/x -selector unix:uid:1'),
  server('entry create -parentID {agent} -spiffeID spiffe://domain.test/spire/x -selector unix:uid:1'),
  server('entry create -parentID {agent} -spiffeID spiffe://domain.test -selector unix:uid:1'),
  server('entry create -parentID {agent} -spiffeID spiffe://domain.test/x -selector unix:uid:1 -x509SVIDTTL -1'),
  server('entry create -parentID {agent} -spiffeID spiffe://domain.test/x -selector unix:uid:1 -jwtSVIDTTL -1'),
  server('entry create -parentID {agent} -spiffeID spiffe://domain.test/x -selector unix:uid:1 -jwtSVIDTTL 4294967296'),
  server('entry create -parentID {agent} -spiffeID spiffe://domain.test/x -selector unix:uid:1 -jwtSVIDTTL soon'),
  server('entry create -parentID {agent} -spiffeID spiffe://domain.test/x -selector unix:uid:1 -federatesWith no.test'),
  server('entry create -node -spiffeID spiffe://domain.test/x -selector a:b -federatesWith other.test'),
  server('entry create -parentID {agent} -spiffeID spiffe://domain.test/x -selector a:b -admin=perhaps'),
  server(`entry create -parentID {agent} ${web} -entryID chosen`, { better: 'the message does not name a table' }),
  server(`entry create -parentID {agent} ${web} -entryID 'a b'`),
  server('entry create -data {dir}/entries.json'),
  server('entry create -data -', { stdin: JSON.stringify(file) }),
  server('entry create -data {dir}/missing.json'),
  server('entry create -data {dir}/wrong-id.json'),
  server('entry create -data {dir}/bad.json', { compare: 'outcome' }),
  server('entry create -unknown'),
  server('entry create -spiffeID'),
  server('entry show'),
  server('entry show -output json'),
  server('entry show -output JSON -output json'),
  server('entry show -output json -output pretty'),
  server('entry show -output yaml'),
  server('entry show -entryID {web}'),
  server('entry show -entryID none'),
  server('entry show -entryID {web} -spiffeID spiffe://domain.test/web'),
  server('entry show -spiffeID spiffe://domain.test/web -parentID spiffe://domain.test/parent'),
  server('entry show -spiffeID web'),
  server('entry show -parentID //web'),
  server('entry show -selector unix:uid:2 -selector unix:gid:3 -matchSelectorsOn exact'),
  server('entry show -selector unix:uid:2 -matchSelectorsOn subset'),
  server('entry show -selector unix:uid:2 -matchSelectorsOn superset'),
  server('entry show -selector unix:uid:2 -selector unix:uid:1 -matchSelectorsOn any'),
  server('entry show -selector unix:uid:2 -matchSelectorsOn nearly'),
  server('entry show -selector unix'),
  server('entry show -federatesWith other.test -matchFederatesWithOn exact'),
  server('entry show -federatesWith spiffe://other.test -matchFederatesWithOn subset'),
  server('entry show -federatesWith other.test -matchFederatesWithOn nearly'),
  server('entry show -hint internal'),
  server('entry show -downstream'),
  server('entry count -downstream=true'),
  server('entry count -hint internal -output json'),
  server('entry count -selector unix:uid:2 -matchSelectorsOn any'),
  server('entry count -federatesWith other.test -matchFederatesWithOn any'),
  server('entry count -spiffeID spiffe://domain.test/web -parentID spiffe://domain.test/parent'),
  server('entry count -spiffeID web'),
  server(
    'entry update -entryID {web} -parentID spiffe://domain.test/parent -spiffeID spiffe://domain.test/web2' +
      ' -selector unix:uid:4 -x509SVIDTTL 90 -jwtSVIDTTL 45 -federatesWith other.test -admin -downstream' +
      ' -entryExpiry 4102444801 -dns c.example.org -hint changed',
  ),
  server(
    'entry update -entryID {all} -parentID {agent} -spiffeID spiffe://domain.test/all -selector unix:uid:2 -jwtSVIDIncludeJTI=false',
  ),
  server(
    'entry update -entryID {web} -parentID {agent} -spiffeID spiffe://domain.test/web2 -selector unix:uid:3 -disableX509SVIDPrefetch',
  ),
  server(
    'entry update -entryID {web} -parentID spiffe://domain.test/parent -spiffeID spiffe://domain.test/web2 -selector disk:a -storeSVID -output json',
  ),
  server('entry update -entryID none -parentID {agent} -spiffeID spiffe://domain.test/web -selector a:b'),
  server(
    'entry update -entryID none -parentID {agent} -spiffeID spiffe://domain.test/web -selector a:b -jwtSVIDIncludeJTI',
  ),
  server('entry update -parentID {agent} -spiffeID spiffe://domain.test/web -selector a:b'),
  server('entry update -entryID {web} -spiffeID spiffe://domain.test/web -selector a:b'),
  server('entry update -entryID {web} -parentID {agent} -selector a:b'),
  server('entry update -entryID {web} -parentID {agent} -spiffeID spiffe://domain.test/web'),
  server(
    'entry update -entryID {web} -parentID {agent} -spiffeID spiffe://domain.test/web -selector a:b -x509SVIDTTL -3',
  ),
  server('entry update -data {dir}/entries.json'),
  server('entry delete'),
  server('entry delete -entryID none'),
  server('entry delete -entryID none -output json'),
  server('entry delete -entryID {web}'),
  server('entry delete -file -', { stdin: '{"ids": ["chosen", "none"]}' }),
  server('entry delete -file {dir}/missing.json'),
  server('entry delete -file -', { stdin: '{"ids": [', compare: 'outcome' }),
  server('entry show -output json -socketPath {dir}/nobody.sock', { ownSocket: true }),
  server('entry show -instance here', {
    ownSocket: true,
    env: { SPIRE_SERVER_PRIVATE_SOCKET_TEMPLATE: '{dir}/%i.sock' },
  }),
  server('entry show -instance here', { ownSocket: true }),
  server('entry show -instance here', { ownSocket: true, env: { SPIRE_SERVER_PRIVATE_SOCKET_TEMPLATE: '{dir}' } }),
  server('entry count', { ownSocket: true, env: { SPIRE_SERVER_PRIVATE_SOCKET: '{serverSocket}' } }),
  agent('healthcheck'),
];
