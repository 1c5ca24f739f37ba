// Static configuration of an Envoy that has its secrets from an agent's socket.

export interface Secrets {
  readonly certificate: string;
  readonly validation: string;
  /** SPIFFE IDs of peers; all that verify, if absent. */
  readonly peers?: readonly string[];
}

export interface EnvoyConfig {
  readonly id: string;
  readonly agentSocket: string;
  readonly adminPort: number;
  readonly metadata?: Record<string, unknown>;
  /** Terminates TLS and answers itself, telling in headers who came. */
  readonly serves?: Secrets & { readonly port: number };
  /** Takes plain HTTP and forwards it over TLS, on a new connection each time. */
  readonly forwards?: Secrets & { readonly port: number; readonly to: number };
}

const address = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } });
const typed = (type: string, fields: object = {}) => ({ '@type': `type.googleapis.com/envoy.${type}`, ...fields });

const secret = (name: string) => ({
  name,
  sds_config: {
    resource_api_version: 'V3',
    api_config_source: {
      api_type: 'GRPC',
      transport_api_version: 'V3',
      grpc_services: [{ envoy_grpc: { cluster_name: 'agent' } }],
    },
  },
});

const context = ({ certificate, validation, peers }: Secrets) => ({
  tls_certificate_sds_secret_configs: [secret(certificate)],
  combined_validation_context: {
    default_validation_context:
      peers === undefined
        ? {}
        : { match_typed_subject_alt_names: peers.map((exact) => ({ san_type: 'URI', matcher: { exact } })) },
    validation_context_sds_secret_config: secret(validation),
  },
});

const http = (port: number, route: object, more: object = {}) => ({
  name: `on-${port}`,
  address: address(port),
  filter_chains: [
    {
      filters: [
        {
          name: 'http',
          typed_config: typed('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
            stat_prefix: 'http',
            http_filters: [{ name: 'router', typed_config: typed('extensions.filters.http.router.v3.Router') }],
            route_config: {
              virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, ...route }] }],
            },
          }),
        },
      ],
      ...more,
    },
  ],
});

const said = (key: string, value: string) => ({ header: { key, value } });
const serving = (serves: Secrets & { readonly port: number }) =>
  http(
    serves.port,
    {
      direct_response: { status: 200, body: { inline_string: 'hello' } },
      response_headers_to_add: [
        said('x-peer', '%DOWNSTREAM_PEER_URI_SAN%'),
        said('x-peer-serial', '%DOWNSTREAM_PEER_SERIAL%'),
      ],
    },
    {
      transport_socket: {
        name: 'tls',
        typed_config: typed('extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
          require_client_certificate: true,
          common_tls_context: context(serves),
        }),
      },
    },
  );

const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const cluster = (name: string, endpoint: object, options: object, more: object = {}) => ({
  name,
  connect_timeout: '5s',
  load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address: endpoint } }] }] },
  typed_extension_protocol_options: {
    [HTTP_OPTIONS]: typed('extensions.upstreams.http.v3.HttpProtocolOptions', options),
  },
  ...more,
});

const forwarded = (forwards: Secrets & { readonly to: number }) =>
  cluster(
    'upstream',
    address(forwards.to),
    {
      explicit_http_config: { http_protocol_options: {} },
      common_http_protocol_options: { max_requests_per_connection: 1 },
    },
    {
      transport_socket: {
        name: 'tls',
        typed_config: typed('extensions.transport_sockets.tls.v3.UpstreamTlsContext', {
          common_tls_context: context(forwards),
        }),
      },
    },
  );

export const envoyConfig = ({ id, agentSocket, adminPort, metadata, serves, forwards }: EnvoyConfig): object => ({
  node: { id, cluster: 'interop', metadata },
  admin: { address: address(adminPort) },
  static_resources: {
    listeners: [
      ...(serves === undefined ? [] : [serving(serves)]),
      ...(forwards === undefined ? [] : [http(forwards.port, { route: { cluster: 'upstream' } })]),
    ],
    clusters: [
      cluster('agent', { pipe: { path: agentSocket } }, { explicit_http_config: { http2_protocol_options: {} } }),
      ...(forwards === undefined ? [] : [forwarded(forwards)]),
    ],
  },
});
