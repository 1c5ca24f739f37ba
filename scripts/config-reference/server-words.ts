import { kubernetesWords } from './kubernetes-words.ts';
import { healthWords, telemetryWords, type WordList } from './words.ts';

const TUNES = "Accepted without effect: it tunes SPIRE's cache of entries; this server follows each change at once.";

export const serverWords: WordList = {
  ...healthWords,
  ...telemetryWords,
  server: 'The server itself.',
  'server.trust_domain': 'Name of the trust domain whose identities are issued.',
  'server.bind_address': 'Address on which agents are served.',
  'server.bind_port': 'Port on which agents are served.',
  'server.socket_path': {
    means: 'Unix socket for administrators: whoever may open it may do everything. At most 107 bytes.',
    by: '`$XDG_RUNTIME_DIR/steeple/server/api.sock`, else `/run/steeple/server/api.sock`',
  },
  'server.data_dir': {
    means: 'Where the server keeps what it must not lose. One server at a time works with it.',
    by: '`/var/lib/steeple/server` for root, else in `$XDG_STATE_HOME` or `~/.local/state`',
  },
  'server.log_level': 'How much is logged.',
  'server.log_format': 'Form of the log lines.',
  'server.log_file': 'Written instead of standard error, and opened anew on SIGUSR2.',
  'server.ca_ttl': { means: 'How long an authority lives; SVIDs never outlive theirs.', by: '`"24h"`' },
  'server.ca_key_type': 'Type of the keys of authorities.',
  'server.ca_subject': { means: 'Subject of X.509 authorities.', by: 'C=US, O=SPIFFE' },
  'server.ca_subject.country': 'Countries of the subject.',
  'server.ca_subject.organization': 'Organisations of the subject.',
  'server.ca_subject.common_name': 'Common name of the subject.',
  'server.jwt_key_type': { means: 'Type of the keys that sign JWT-SVIDs.', by: '`ca_key_type`' },
  'server.default_x509_svid_ttl': { means: 'Life of an X509-SVID whose entry says nothing.', by: '`"1h"`' },
  'server.default_jwt_svid_ttl': { means: 'Life of a JWT-SVID whose entry says nothing.', by: '`"5m"`' },
  'server.agent_ttl': { means: "Life of an agent's own SVID.", by: '`default_x509_svid_ttl`' },
  'server.jwt_issuer': 'Claim `iss` of JWT-SVIDs; needed by OpenID Connect.',
  'server.admin_ids': 'Identities that may administer over the network, of any trust domain.',
  'server.ratelimit': 'Which calls wait their turn, per address of the caller.',
  'server.ratelimit.attestation': 'Attestations: one per second.',
  'server.ratelimit.signing': 'Signatures: 500 per second and kind.',
  'server.audit_log_enabled': 'Log who changed what.',
  'server.disable_jwt_svids': 'Issue no JWT-SVIDs and keep no keys for them.',
  'server.max_attested_node_info_staleness':
    'Accepted without effect: what is known of an agent is looked up at every call.',
  'server.proxy_protocol_trusted_cidrs':
    'Addresses of load balancers that tell with the PROXY protocol where a connection comes from.',
  'server.prune_attested_nodes_expired_for': {
    means: 'Agents whose SVID expired that long ago are forgotten.',
    by: 'none are',
  },
  'server.prune_attested_nodes_batch_size': 'How many agents are forgotten at once at most.',
  'server.prune_tofu_nodes': 'Forget also agents that could never attest again.',
  'server.federation': 'Other trust domains that are trusted, and who may learn of this one.',
  'server.federation.bundle_endpoint': 'Serve the own bundle to other trust domains.',
  'server.federation.bundle_endpoint.address': 'Address to listen on.',
  'server.federation.bundle_endpoint.port': 'Port to listen on.',
  'server.federation.bundle_endpoint.refresh_hint': 'How often others should ask again.',
  'server.federation.bundle_endpoint.profile': {
    means: 'How the endpoint is authenticated: one block `profile "https_spiffe" {}` or `profile "https_web" { … }`.',
    by: '`https_spiffe`',
  },
  'server.federation.bundle_endpoint.profile.https_spiffe': "With the server's own SVID.",
  'server.federation.bundle_endpoint.profile.https_web':
    'With a certificate that web browsers trust; exactly one of the blocks below.',
  'server.federation.bundle_endpoint.profile.https_web.serving_cert_file': 'The certificate stands in files.',
  'server.federation.bundle_endpoint.profile.https_web.serving_cert_file.cert_file_path':
    'File with the certificate chain, PEM.',
  'server.federation.bundle_endpoint.profile.https_web.serving_cert_file.key_file_path':
    'File with the private key, PEM.',
  'server.federation.bundle_endpoint.profile.https_web.serving_cert_file.file_sync_interval':
    'How often the files are read again.',
  'server.federation.bundle_endpoint.profile.https_web.acme': 'The certificate comes from an ACME service.',
  'server.federation.bundle_endpoint.profile.https_web.acme.directory_url': 'Directory of the ACME service.',
  'server.federation.bundle_endpoint.profile.https_web.acme.domain_name': 'Domain name for which it is asked.',
  'server.federation.bundle_endpoint.profile.https_web.acme.email': 'Address that the service may write to.',
  'server.federation.bundle_endpoint.profile.https_web.acme.tos_accepted':
    "Whether you accept the service's terms; nothing is asked for without.",
  'server.federation.federates_with': 'One block `federates_with "other.org" { … }` per trust domain.',
  'server.federation.federates_with.bundle_endpoint_url': 'Where that trust domain serves its bundle.',
  'server.federation.federates_with.bundle_endpoint_profile':
    'How that endpoint is authenticated: one block `https_web` or `https_spiffe`.',
  'server.federation.federates_with.bundle_endpoint_profile.https_web': 'With a certificate that the system trusts.',
  'server.federation.federates_with.bundle_endpoint_profile.https_spiffe': 'With an SVID of that trust domain.',
  'server.federation.federates_with.bundle_endpoint_profile.https_spiffe.endpoint_spiffe_id':
    'The identity that it must show.',
  'server.federation.federates_with.trust_domain_bundle_path': {
    means: 'File with the first bundle, so that none need be set by hand. One of the three.',
    ours: true,
  },
  'server.federation.federates_with.trust_domain_bundle_format': { means: 'Form of that file.', ours: true },
  'server.federation.federates_with.trust_domain_bundle_url': {
    means: 'https URL of the first bundle, believed as the system trusts that web server.',
    ours: true,
  },
  'server.federation.federates_with.trust_domain_bundle_pin': {
    means: 'SHA-256 fingerprint of the root that the endpoint must show at first.',
    ours: true,
  },
  'server.experimental': 'What may still change.',
  'server.experimental.wit_issuer': 'Claim `iss` of WIT-SVIDs; not a URL.',
  'server.experimental.wit_key_type': { means: 'Type of the keys that sign WIT-SVIDs.', by: '`ca_key_type`' },
  'server.experimental.feature_flags': '`wit-svid` switches WIT-SVIDs on.',
  'server.experimental.agent_spiffe_id_as_selector': 'Every agent has its own ID among its selectors.',
  'server.experimental.require_pq_kem': 'Refuse connections without a post-quantum key exchange.',
  'server.experimental.cache_reload_interval': TUNES,
  'server.experimental.full_cache_reload_interval': TUNES,
  'server.experimental.events_based_cache': TUNES,
  'server.experimental.prune_events_older_than': TUNES,
  'server.experimental.event_timeout': TUNES,
  'server.experimental.sql_transaction_timeout': TUNES,
  plugins: 'The replaceable parts.',
  'plugins.DataStore': {
    means: 'Where entries, agents and bundles are kept. At most one.',
    by: '`sql` with SQLite in `data_dir`',
  },
  'plugins.KeyManager': { means: 'Where private keys are kept. At most one.', by: '`disk` in `data_dir`' },
  'plugins.NodeAttestor': { means: 'How nodes prove who they are.', by: '`join_token`, which is always there' },
  'plugins.UpstreamAuthority': 'Who signs the authorities of this server, if not they themselves. At most one.',
  'plugins.BundlePublisher': 'Where the trust bundle is put for those who cannot ask this server.',
  'plugins.Notifier': 'The same by an older name.',
  ...kubernetesWords,
};
