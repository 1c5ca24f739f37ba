/** How the API is reached at this moment. */
export interface KubernetesConnection {
  /** Without a slash at its end; a path is kept, as proxies have it. */
  readonly server: string;
  /** PEM; undefined: the authorities that Node trusts. */
  readonly ca: string | undefined;
  /** Client certificate and its key, both PEM. */
  readonly identity: { readonly certificate: string; readonly key: string } | undefined;
  /** The name that the server's certificate must have, if it is not the one in `server`. */
  readonly serverName: string | undefined;
  readonly token: string | undefined;
  /** Where this process lives, or what the context names. */
  readonly namespace: string;
}

/**
 * Gives the connection as its files say it now: tokens and certificates are replaced while a process runs.
 *
 * @throws {KubernetesError} `access`, naming the file or variable at fault
 */
export type KubernetesAccess = () => Promise<KubernetesConnection>;
