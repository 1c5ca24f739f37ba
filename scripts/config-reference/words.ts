/** What a key means, for somebody who configures. */
export type Words =
  | string
  | {
      readonly means: string;
      /** For a default that is worked out. */
      readonly by?: string;
      /** SPIRE has no such key. */
      readonly ours?: true;
    };

/** By the dotted path of a key; a path may end in its last keys only, for blocks that stand in both files. */
export type WordList = Readonly<Record<string, Words>>;

export const healthWords: WordList = {
  health_checks: 'Liveness and readiness over HTTP.',
  'health_checks.listener_enabled': 'Whether to listen at all.',
  'health_checks.bind_address': 'Address to listen on.',
  'health_checks.bind_port': 'Port to listen on.',
  'health_checks.live_path': 'Path that answers whether the process lives.',
  'health_checks.ready_path': 'Path that answers whether it can do its work.',
};

export const telemetryWords: WordList = {
  telemetry: 'Where numbers about the process go.',
  'telemetry.Prometheus': 'An HTTP endpoint that Prometheus reads.',
  'telemetry.Prometheus.host': 'Address to listen on.',
  'telemetry.Prometheus.port': 'Port to listen on.',
  'telemetry.Prometheus.tls': 'Serve over TLS instead of plain HTTP.',
  'telemetry.Prometheus.tls.cert_file': 'File with the certificate chain, PEM.',
  'telemetry.Prometheus.tls.key_file': 'File with the private key, PEM.',
  'telemetry.Prometheus.tls.client_ca_file': 'Ask clients for a certificate of these authorities.',
  'telemetry.Prometheus.tls.use_spire_svid': 'Serve with the own SVID instead of a certificate from a file.',
  'telemetry.Prometheus.tls.authorized_spiffe_ids': 'Clients with these identities only.',
  'telemetry.Statsd': 'Send to these StatsD collectors; may be repeated.',
  'telemetry.Statsd.address': 'Host and UDP port, such as `localhost:8125`.',
  'telemetry.DogStatsd': 'Send to these DogStatsD collectors, with labels as tags; may be repeated.',
  'telemetry.DogStatsd.address': 'Host and UDP port, such as `localhost:8125`.',
  'telemetry.MetricPrefix': {
    means: 'First part of every name.',
    by: '`spire_server` or `spire_agent`, so that dashboards for SPIRE fit',
  },
  'telemetry.EnableTrustDomainLabel': 'Label every number with the trust domain.',
  'telemetry.EnableHostnameLabel': 'Label every number with the host name.',
  'telemetry.AllowedPrefixes': 'Only numbers whose names start so.',
  'telemetry.BlockedPrefixes': 'No numbers whose names start so.',
  'telemetry.AllowedLabels': 'Only these labels.',
  'telemetry.BlockedLabels': 'None of these labels.',
};

export const pluginWords: Readonly<Record<string, string>> = {
  plugin_data: 'Settings of the plugin: see its page.',
  plugin_data_file: 'File with these settings, instead of `plugin_data`.',
  enabled: '`false` is as if the block were not there.',
};
