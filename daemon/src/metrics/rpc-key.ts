/** Services that SPIRE counts under a shorter name. */
const SHORT: Readonly<Record<string, string>> = {
  SpiffeWorkloadAPI: 'WorkloadAPI',
  'envoy.service.secret.v3.SecretDiscoveryService': 'SDS.v3',
  'grpc.health.v1.Health': 'Health',
  'logger.v1.Logger': 'Logger',
  'spire.api.agent.logger.v1.Logger': 'Logger',
  'spire.agent.debug.v1.Debug': 'Debug',
  'spire.api.agent.delegatedidentity.v1.DelegatedIdentity': 'DelegatedIdentity',
};

/** Methods whose name in metrics does not follow from their own. */
const METHODS: Readonly<Record<string, string>> = { SubscribeToX509SVIDs: 'subscribe_to_x509_svids' };

const SERVER_API = 'spire.api.server.';

/** The metric of a gRPC method: `/spire.api.server.svid.v1.SVID/MintX509SVID` is `rpc.svid.v1.svid.mint_x509svid`. */
export const rpcKey = (path: string): string => {
  const [, service = '', method = ''] = path.split('/');
  const bare = service.startsWith(SERVER_API) ? service.slice(SERVER_API.length) : service;
  const short = SHORT[bare] ?? bare;
  return ['rpc', ...short.split('.').map(snakeCase), METHODS[method] ?? snakeCase(method)].join('.');
};

/** An upper-case letter starts a word if a lower-case one stands before or after it and it is not at an end. */
const snakeCase = (text: string): string => {
  let out = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (!/[\p{L}\p{N}]/u.test(char)) {
      out += '_';
      continue;
    }
    const isUpper = char !== char.toLowerCase();
    const isInside = at > 0 && at + 1 < text.length;
    const startsWord = isInside && (isLower(text.charAt(at + 1)) || isLower(text.charAt(at - 1)));
    if (isUpper && startsWord && !out.endsWith('_')) out += '_';
    out += char.toLowerCase();
  }
  return out;
};

const isLower = (char: string): boolean => /\p{Ll}/u.test(char);
