// The map of rooms as a whitelist: an import that no line below allows is an error. The reasons stand in ARCHITECTURE.md.

/** Room → what it may import: other rooms, then npm packages. */
const rooms = {
  spiffe: { rooms: [], npm: ['@peculiar/x509', 'reflect-metadata', 'jose'] },
  core: { rooms: ['spiffe'], npm: [] },
  proto: { rooms: [], npm: ['@bufbuild/protobuf', '@grpc/grpc-js'] },
  client: { rooms: ['spiffe', 'proto'], npm: ['@grpc/grpc-js', '@bufbuild/protobuf'] },
  daemon: { rooms: ['proto'], npm: ['koffi', 'prom-client', 'yaml', 'zod', '@grpc/grpc-js', '@bufbuild/protobuf'] },
  plugins: {
    rooms: ['spiffe', 'core', 'proto', 'client', 'daemon'],
    npm: ['@cedar-policy/cedar-wasm', 'better-sqlite3', 'zod'],
  },
  server: {
    rooms: ['spiffe', 'core', 'proto', 'daemon', 'plugins'],
    npm: ['zod', '@bufbuild/protobuf', '@grpc/grpc-js'],
  },
  agent: {
    rooms: ['spiffe', 'core', 'proto', 'daemon', 'plugins'],
    npm: ['zod', '@bufbuild/protobuf', '@grpc/grpc-js'],
  },
  cli: {
    rooms: ['spiffe', 'core', 'proto', 'client', 'daemon', 'server', 'agent'],
    npm: ['commander', 'yaml', '@bufbuild/protobuf', '@grpc/grpc-js'],
  },
};

/** The only Node modules that the pure rooms may use. */
const builtins = { spiffe: '^(node:)?crypto$', core: '^$' };

const testFile = ['\\.(test|contract|fixture)\\.ts$', '/testing/'];
const npmPath = (name) => `node_modules/(@types/)?${name.replaceAll('/', '[/]')}/`;

const allowed = Object.entries(rooms).flatMap(([room, may]) => [
  { from: { path: `^${room}/src/`, pathNot: testFile }, to: { path: `^${room}/src/` } },
  ...may.rooms.map((other) => ({ from: { path: `^${room}/src/` }, to: { path: `^${other}/src/` } })),
  ...may.npm.map((name) => ({ from: { path: `^${room}/src/` }, to: { path: npmPath(name) } })),
  {
    from: { path: `^${room}/src/`, pathNot: testFile },
    to: { dependencyTypes: ['core'], path: builtins[room] ?? '.' },
  },
]);

export default {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'plugins-come-through-the-catalog',
      severity: 'error',
      from: { path: '^(server|agent|cli)/src/', pathNot: testFile },
      to: { path: '^plugins/src/', pathNot: '^plugins/src/(index|catalog)\\.ts$' },
    },
    {
      name: 'rooms-meet-at-their-doors',
      comment: 'between rooms only the declared exports of a package',
      severity: 'error',
      from: { path: '^([^/]+)/src/' },
      to: {
        path: '^(spiffe|core|server|agent)/src/',
        pathNot: ['^$1/', '^[^/]+/src/index\\.ts$', '^core/src/(grants|log|policies|tasks)/index\\.ts$'],
      },
    },
    {
      name: 'layers-inside-a-process',
      comment: 'endpoints → api → app → core; never back',
      severity: 'error',
      from: { path: '^(server|agent)/src/app/', pathNot: testFile },
      to: { path: '^(server|agent)/src/(api|endpoints)/' },
    },
    {
      name: 'nobody-imports-cli',
      severity: 'error',
      from: { pathNot: '^cli/|^test/|^examples/' },
      to: { path: '^cli/src/' },
    },
  ],
  allowed: [
    ...allowed,
    // Server and agent see of the client library only SPIFFE over TLS.
    { from: { path: '^(server|agent)/src/' }, to: { path: '^client/src/tls/index\\.ts$' } },
    // Tests may use the kit, Node, the tools and the oracles; the kit may use everything but the processes.
    { from: { path: testFile }, to: { pathNot: '^(cli|server|agent)/src/' } },
    { from: { path: '^(cli|server|agent)/src/.*[.](test|fixture)[.]ts$' }, to: {} },
    { from: { path: '^(server|agent)/src/testing/' }, to: { path: '^$1/src/' } },
    { from: { path: '^test/kit/' }, to: { pathNot: '^(cli|server|agent)/src/' } },
    { from: { path: '^(test/(?!kit)|examples/|scripts/|proto/src/gen/)' }, to: {} },
  ],
  allowedSeverity: 'error',
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.json', '.node'],
    },
  },
};
